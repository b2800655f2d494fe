//! The OpenAI-compatible form: for gateways that know nothing else. It has no files, no video
//! metadata and no safety settings, so it is a fallback only.

use mediaprep_parts::{ChatResponse, GenerateRequest, NotExpressible};

use crate::Error;
use crate::client::{Call, Client};

impl From<NotExpressible> for Error {
    fn from(error: NotExpressible) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl Client {
    /// Sends a request in the OpenAI-compatible form and waits for the whole answer. On Google
    /// Cloud the model is named `google/…`.
    ///
    /// # Errors
    ///
    /// As [`Client::generate`]; [`Error::Invalid`] for what this form cannot say.
    pub async fn chat(
        &self,
        model: &str,
        request: &GenerateRequest,
    ) -> Result<ChatResponse, Error> {
        let body = request.chat_body(model, false)?;
        let url = self.endpoint().chat_url();
        let mut call = Call::new("chat/completions", "POST", url).with_body(&body);
        call.bearer = true;
        self.typed(&call).await
    }
}
