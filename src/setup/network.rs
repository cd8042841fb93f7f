//! Which network, and whether it is joined.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{qr::WifiNetwork, secret::Secret};
use rand_core::TryCryptoRng;

use super::{NetworkReport, Setup, SetupError, Step};
use crate::device::MAX_NETWORK;

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Setup<'_, F, R, N> {
    /// Stores which Wi-Fi network to join, as its QR code has it; [`network`](Self::network) reads it, and
    /// [`Device::network`](crate::device::Device::network) after the set-up.
    ///
    /// *Power loss:* the network before or this one.
    ///
    /// # Errors
    /// As [`give_network`](Self::give_network).
    pub fn give_wifi(&mut self, network: &WifiNetwork) -> Result<(), SetupError> {
        let mut text = Secret::<{ WifiNetwork::MAX_LEN }>::zero();
        let text = network
            .write(text.expose_mut())
            .map_err(|_| SetupError::Network)?;
        self.give_network(text.as_bytes())
    }

    /// The same for any kind of network, in the product's own words: 1 to 256 bytes.
    ///
    /// *Power loss:* the network before or this one.
    ///
    /// # Errors
    /// [`SetupError::NotYet`] unless somebody has shown the label in this boot; [`SetupError::NoStep`];
    /// [`SetupError::Network`]; failures of the store.
    pub fn give_network(&mut self, network: &[u8]) -> Result<(), SetupError> {
        self.need_step(Step::Network)?;
        if self.proof.is_none() {
            return Err(SetupError::NotYet(Step::Pairing));
        }
        if !(1..=MAX_NETWORK).contains(&network.len()) {
            return Err(SetupError::Network);
        }
        self.device.write_network(network)?;
        self.joined = false;
        self.clear(Step::Network);
        Ok(())
    }

    /// The network to join; `None` as long as none was given. `out` has 256 bytes, and is wiped by whoever lends it.
    ///
    /// # Errors
    /// Failures of the store.
    pub fn network<'o>(&mut self, out: &'o mut [u8]) -> Result<Option<&'o [u8]>, SetupError> {
        Ok(self.device.read_network(out)?)
    }

    /// Says what came of joining the network.
    ///
    /// # Errors
    /// [`SetupError::NotYet`] when no network was given; [`SetupError::NoStep`].
    pub fn report_network(&mut self, report: NetworkReport) -> Result<(), SetupError> {
        self.need_step(Step::Network)?;
        if !self.device.has_network() {
            return Err(SetupError::NotYet(Step::Network));
        }
        self.joined = report == NetworkReport::Joined;
        self.settle(Step::Network, report.trouble());
        Ok(())
    }
}

iotsec_core::claim! {
    provisions: ["5.5-5"],
    claims: "A set-up takes a network, and goes on to anything else, only from somebody who has shown the label",
    code: [Setup::give_network],
    tests: ["iotsec::setup::no_step_can_be_left_out"],
}
