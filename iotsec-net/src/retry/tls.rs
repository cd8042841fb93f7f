use super::Failure;
use crate::tls::TlsError;

impl From<TlsError> for Failure {
    /// Waiting helps against a network. It does not help against a certificate that is refused, by us or by them.
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::Deadline
            | TlsError::Cut
            | TlsError::Io
            | TlsError::Blocked
            | TlsError::Resolve
            | TlsError::Unreachable
            | TlsError::Record
            | TlsError::Entropy => Self::Unreachable,
            // RFC 8446 §6.1: closed, or given up by the user; §6.2: trouble of the server's own.
            TlsError::Alert(0 | 80 | 90) => Self::Unreachable,
            _ => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::CertificateError;

    #[test]
    fn what_waiting_heals_and_what_not() {
        for error in [TlsError::Unreachable, TlsError::Cut, TlsError::Alert(80)] {
            assert_eq!(Failure::from(error), Failure::Unreachable);
        }
        // bad_certificate, certificate_expired, unknown_ca, certificate_required.
        for alert in [42, 45, 48, 116] {
            assert_eq!(Failure::from(TlsError::Alert(alert)), Failure::Refused);
        }
        let certificate = TlsError::Certificate(CertificateError::Ended);
        assert_eq!(Failure::from(certificate), Failure::Refused);
    }
}
