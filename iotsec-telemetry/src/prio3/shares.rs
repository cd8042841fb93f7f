use zeroize::Zeroize;

/// Where shares are written.
pub(crate) struct Parts<'b> {
    pub(crate) public: &'b mut [u8],
    pub(crate) leader: &'b mut [u8],
    pub(crate) helper: &'b mut [u8],
}

/// The shares of one measurement, wiped on drop: seal each to its server before.
///
/// Leader and helper share together are the measurement. Neither may reach the other server, nor both one
/// memory.
pub struct Shares<'b>(Parts<'b>);

impl<'b> Shares<'b> {
    pub(crate) const fn new(public: &'b mut [u8], leader: &'b mut [u8], helper: &'b mut [u8]) -> Self {
        Self(Parts {
            public,
            leader,
            helper,
        })
    }

    pub(crate) fn parts(&mut self) -> Parts<'_> {
        Parts {
            public: self.0.public,
            leader: self.0.leader,
            helper: self.0.helper,
        }
    }

    /// What both servers get; empty for counts and sums.
    pub const fn public(&self) -> &[u8] {
        self.0.public
    }

    /// What the leader gets.
    pub const fn leader(&self) -> &[u8] {
        self.0.leader
    }

    /// What the helper gets.
    pub const fn helper(&self) -> &[u8] {
        self.0.helper
    }
}

impl Drop for Shares<'_> {
    fn drop(&mut self) {
        self.0.leader.zeroize();
        self.0.helper.zeroize();
    }
}

impl core::fmt::Debug for Shares<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Shares(..)")
    }
}
