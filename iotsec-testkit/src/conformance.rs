//! A suite that a flash driver must pass.
