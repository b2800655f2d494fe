//! Batches: many requests at half the price, answered within a day.

use mediaprep_parts::{BatchPredictionJob, BatchRequest};
use serde::Deserialize;
use serde_json::Value;

use crate::Error;
use crate::client::{Call, Client};
use crate::endpoint::{Method, Mode, check_name};

/// A batch as the service tells of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchJob {
    /// `batches/…`, or a whole resource name on Google Cloud.
    pub name: String,
    /// How far it is.
    pub state: BatchState,
    /// The file that holds the results, where they are in one.
    pub results_file: Option<String>,
    /// Why it failed, as far as the service says.
    pub error: Option<String>,
    /// Everything that the service says: results that come inline are in it.
    pub raw: Value,
}

/// How far a batch is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BatchState {
    /// Waiting.
    Pending,
    /// Under way.
    Running,
    /// Done; single requests may have failed.
    Succeeded,
    /// Not done.
    Failed,
    /// Stopped.
    Cancelled,
    /// Not done in time.
    Expired,
    /// The service says nothing.
    #[default]
    Unspecified,
    /// A state that is not known here.
    Other(String),
}

impl BatchState {
    fn read(text: &str) -> Self {
        let word = text.trim_start_matches("BATCH_STATE_").trim_start_matches("JOB_STATE_");
        match word {
            "PENDING" | "QUEUED" => Self::Pending,
            "RUNNING" => Self::Running,
            "SUCCEEDED" | "PARTIALLY_SUCCEEDED" => Self::Succeeded,
            "FAILED" => Self::Failed,
            "CANCELLED" | "CANCELLING" => Self::Cancelled,
            "EXPIRED" => Self::Expired,
            "" | "UNSPECIFIED" => Self::Unspecified,
            _ => Self::Other(text.to_owned()),
        }
    }

    /// Whether nothing more will happen.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Expired)
    }
}

impl<'de> Deserialize<'de> for BatchJob {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        // The Developer API answers with an operation, Google Cloud with the job itself.
        let state = [&raw["metadata"]["state"], &raw["state"]];
        let state = BatchState::read(state.into_iter().find_map(Value::as_str).unwrap_or_default());
        let places = [
            &raw["response"]["responsesFile"],
            &raw["metadata"]["output"]["responsesFile"],
            &raw["outputInfo"]["gcsOutputDirectory"],
        ];
        let results_file = places.into_iter().find_map(text);
        let (name, error) = (text(&raw["name"]), text(&raw["error"]["message"]));
        Ok(Self { name: name.unwrap_or_default(), state, results_file, error, raw })
    }
}

impl Client {
    /// Starts a batch on the Developer API: requests inline, or lines of an uploaded file.
    ///
    /// # Errors
    ///
    /// As [`Client::generate`]; [`Error::NotOffered`] on Google Cloud.
    pub async fn create_batch(&self, model: &str, batch: &BatchRequest) -> Result<BatchJob, Error> {
        self.needs_developer_api("batchGenerateContent")?;
        let line = self.endpoint().request_line(Method::Batch, model)?;
        let body = batch.body();
        let call = Call::new("batchGenerateContent", line.verb, line.url).with_body(&body);
        self.typed(&call).await
    }

    /// Starts a batch on Google Cloud: lines of an object in Cloud Storage.
    ///
    /// # Errors
    ///
    /// As [`Client::generate`]; [`Error::NotOffered`] on the Developer API.
    pub async fn create_prediction_job(&self, job: &BatchPredictionJob) -> Result<BatchJob, Error> {
        if self.endpoint().mode() != Mode::Vertex {
            let instead = "use create_batch with inline requests or an uploaded file";
            return Err(Error::NotOffered { what: "batchPredictionJobs", instead });
        }
        let url = self.endpoint().collection("batchPredictionJobs");
        let body = job.body();
        self.typed(&Call::new("batchPredictionJobs", "POST", url).with_body(&body)).await
    }

    /// How far a batch is, by its name.
    ///
    /// # Errors
    ///
    /// As [`Client::generate`].
    pub async fn batch(&self, name: &str) -> Result<BatchJob, Error> {
        check_name(name)?;
        self.typed(&Call::new("batches.get", "GET", self.endpoint().url(name))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_services_jobs_are_read() {
        let read = |value: Value| serde_json::from_value::<BatchJob>(value).unwrap();
        let operation = read(serde_json::json!({"name": "batches/a", "metadata":
            {"state": "BATCH_STATE_SUCCEEDED"}, "response": {"responsesFile": "files/out"}}));
        assert_eq!(operation.state, BatchState::Succeeded);
        assert_eq!(operation.results_file.as_deref(), Some("files/out"));
        let job = read(serde_json::json!({"name": "projects/p/x", "state": "JOB_STATE_FAILED",
            "error": {"code": 3, "message": "no"}}));
        assert_eq!((job.state.is_final(), job.error.as_deref()), (true, Some("no")));
        let odd = read(serde_json::json!({"state": "BATCH_STATE_DREAMING"}));
        assert_eq!(odd.state, BatchState::Other("BATCH_STATE_DREAMING".to_owned()));
    }
}
