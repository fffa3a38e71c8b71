//! How much text may be parsed once more.
//!
//! A statement is parsed again for each valid form that the parser may not know ([`super::mend`]) and
//! for each guess at what is wrong ([`super::repair`]). Counted in bytes and for a whole file, so that
//! neither one long statement nor many wrong ones take long, on a fast machine as on a slow one.

/// Bytes that may still be parsed.
#[derive(Debug)]
pub(super) struct Budget(usize);

/// What was wanted cannot be afforded.
#[derive(Debug)]
pub(super) struct Spent;

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Takes what one look at so many bytes costs.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Spent> {
        self.0 = self.0.checked_sub(bytes).ok_or(Spent)?;
        Ok(())
    }
}
