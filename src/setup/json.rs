use core::fmt::{self, Write};

use super::SetupStatus;
use crate::status::{write_all, write_fields};

impl SetupStatus {
    /// Bytes of the longest document.
    pub const MAX_JSON_LEN: usize = 640;

    /// Writes the document, without line breaks, in at most [`MAX_JSON_LEN`](Self::MAX_JSON_LEN) bytes.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> fmt::Result {
        let reason = self.reason();
        let (step, action) = (reason.step(), reason.action());
        // No string of a reason needs escaping.
        write_fields(
            out,
            &[
                ("{\"step\":\"", Some(step.id())),
                ("\",\"provision\":\"", Some(step.provision())),
                ("\",\"reason\":\"", Some(reason.id())),
                ("\",\"text\":\"", Some(reason.text())),
                ("\",\"action\":\"", Some(action.id())),
                ("\",\"by\":\"", Some(action.actor().id())),
                ("\",\"next\":\"", Some(action.text())),
            ],
        )?;
        let (number, left) = (reason.number(), self.decisions_left());
        // Rounded up: whoever waits that long is not too early.
        let wait = self.wait().0.div_ceil(1000);
        write!(
            out,
            "\",\"number\":{number},\"decisions\":{left},\"wait\":{wait},\"steps\":["
        )?;
        for (number, (step, done)) in self.steps().enumerate() {
            let separator = if number > 0 {
                ",{\"step\":\""
            } else {
                "{\"step\":\""
            };
            let done = if done {
                "\",\"done\":true}"
            } else {
                "\",\"done\":false}"
            };
            write_all(out, &[separator, step.id(), done])?;
        }
        out.write_str("]}")
    }
}
