//! The 13 guidelines of the UK Code of Practice for Consumer IoT Security (DCMS and NCSC, 2018), from
//! which ETSI EN 303 645 grew.

/// A guideline, by its number in the Code of Practice.
///
/// ```
/// use iotsec::guideline::Guideline;
///
/// assert_eq!(Guideline::ALL.len(), 13);
/// assert_eq!(Guideline::NoDefaultPasswords.number(), 1);
/// assert_eq!(Guideline::KeepUpdated.provisions(), "5.3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guideline {
    /// 1. No default passwords.
    NoDefaultPasswords,
    /// 2. Implement a vulnerability disclosure policy.
    DisclosurePolicy,
    /// 3. Keep software updated.
    KeepUpdated,
    /// 4. Securely store credentials and security-sensitive data.
    SecureStorage,
    /// 5. Communicate securely.
    SecureCommunication,
    /// 6. Minimise exposed attack surfaces.
    MinimalSurface,
    /// 7. Ensure software integrity.
    SoftwareIntegrity,
    /// 8. Ensure that personal data is protected.
    PersonalData,
    /// 9. Make systems resilient to outages.
    Resilience,
    /// 10. Monitor system telemetry data.
    Telemetry,
    /// 11. Make it easy for consumers to delete personal data.
    EasyDeletion,
    /// 12. Make installation and maintenance of devices easy.
    EasyInstallation,
    /// 13. Validate input data.
    InputValidation,
}

impl Guideline {
    /// All of them, in order.
    pub const ALL: [Self; 13] = [
        Self::NoDefaultPasswords,
        Self::DisclosurePolicy,
        Self::KeepUpdated,
        Self::SecureStorage,
        Self::SecureCommunication,
        Self::MinimalSurface,
        Self::SoftwareIntegrity,
        Self::PersonalData,
        Self::Resilience,
        Self::Telemetry,
        Self::EasyDeletion,
        Self::EasyInstallation,
        Self::InputValidation,
    ];

    /// 1 to 13.
    pub const fn number(self) -> u8 {
        match self {
            Self::NoDefaultPasswords => 1,
            Self::DisclosurePolicy => 2,
            Self::KeepUpdated => 3,
            Self::SecureStorage => 4,
            Self::SecureCommunication => 5,
            Self::MinimalSurface => 6,
            Self::SoftwareIntegrity => 7,
            Self::PersonalData => 8,
            Self::Resilience => 9,
            Self::Telemetry => 10,
            Self::EasyDeletion => 11,
            Self::EasyInstallation => 12,
            Self::InputValidation => 13,
        }
    }

    /// A short title in plain words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::NoDefaultPasswords => "No default passwords",
            Self::DisclosurePolicy => "Vulnerability disclosure policy",
            Self::KeepUpdated => "Keep software updated",
            Self::SecureStorage => "Securely store credentials",
            Self::SecureCommunication => "Communicate securely",
            Self::MinimalSurface => "Minimise exposed attack surface",
            Self::SoftwareIntegrity => "Ensure software integrity",
            Self::PersonalData => "Personal data is protected",
            Self::Resilience => "Resilient to outages",
            Self::Telemetry => "Monitor telemetry",
            Self::EasyDeletion => "Easy deletion of personal data",
            Self::EasyInstallation => "Easy installation and maintenance",
            Self::InputValidation => "Validate input data",
        }
    }

    /// The clause of ETSI EN 303 645 that grew out of it. The clauses 5.1 to 5.13 keep the order of the
    /// Code of Practice; protection of personal data (clause 6) stands beside 5.8.
    pub const fn provisions(self) -> &'static str {
        match self {
            Self::NoDefaultPasswords => "5.1",
            Self::DisclosurePolicy => "5.2",
            Self::KeepUpdated => "5.3",
            Self::SecureStorage => "5.4",
            Self::SecureCommunication => "5.5",
            Self::MinimalSurface => "5.6",
            Self::SoftwareIntegrity => "5.7",
            Self::PersonalData => "5.8, 6",
            Self::Resilience => "5.9",
            Self::Telemetry => "5.10",
            Self::EasyDeletion => "5.11",
            Self::EasyInstallation => "5.12",
            Self::InputValidation => "5.13",
        }
    }
}
