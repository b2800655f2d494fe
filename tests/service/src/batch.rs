use std::time::SystemTime;

use axum::response::Response;
use serde_json::{Value, json};

use crate::{
    clock::rfc3339,
    generate,
    incoming::Incoming,
    judge::Judge,
    messages::Message,
    models,
    refusal::{Refusal, json_reply},
    route::{Access, Platform},
    store::State,
};

/// A batch of the Developer API or a job of Vertex.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    owner: String,
    /// `batches/{id}` or `projects/…/batchPredictionJobs/{id}`.
    name: String,
    model: String,
    display_name: String,
    created: SystemTime,
    /// How many requests it has; 0 when they are in a file.
    requests: usize,
    /// How many more GETs say that it is running.
    polls_left: u32,
    life: Life,
    /// What it gives in the end.
    output: Value,
    vertex: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Pending,
    Running,
    Succeeded,
    Cancelled,
}

impl Batch {
    fn id(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    fn value(&self) -> Value {
        if self.vertex { self.job() } else { self.operation() }
    }

    fn state(&self) -> String {
        let state = match self.life {
            Life::Pending => "PENDING",
            Life::Running => "RUNNING",
            Life::Succeeded => "SUCCEEDED",
            Life::Cancelled => "CANCELLED",
        };
        format!("{}_STATE_{state}", if self.vertex { "JOB" } else { "BATCH" })
    }

    fn job(&self) -> Value {
        let mut job = self.output.clone();
        job["name"] = self.name.as_str().into();
        job["displayName"] = self.display_name.as_str().into();
        job["model"] = self.model.as_str().into();
        job["state"] = self.state().into();
        job["createTime"] = rfc3339(self.created).into();
        job["updateTime"] = rfc3339(self.created).into();
        job
    }

    fn operation(&self) -> Value {
        let package = "type.googleapis.com/google.ai.generativelanguage.v1main";
        let time = rfc3339(self.created);
        let mut operation = json!({
            "name": self.name,
            "metadata": {
                "@type": format!("{package}.GenerateContentBatch"),
                "model": self.model,
                "displayName": self.display_name,
                "name": self.name,
                "createTime": time,
                "updateTime": time,
                "batchStats": {"requestCount": self.requests.to_string()},
                "state": self.state(),
            },
        });
        if matches!(self.life, Life::Succeeded | Life::Cancelled) {
            operation["done"] = true.into();
            operation["metadata"]["endTime"] = time.into();
        }
        if self.life == Life::Succeeded {
            operation["metadata"]["output"] = self.output.clone();
            operation["response"] = self.output.clone();
            operation["response"]["@type"] = format!("{package}.GenerateContentBatchOutput").into();
        }
        operation
    }

    /// Each look brings it a step nearer to its end.
    fn look(&mut self) {
        if matches!(self.life, Life::Succeeded | Life::Cancelled) {
            return;
        }
        match self.polls_left.checked_sub(1) {
            Some(left) => (self.polls_left, self.life) = (left, Life::Running),
            None => self.life = Life::Succeeded,
        }
    }
}

/// `POST models/{model}:batchGenerateContent`.
pub(crate) async fn create(
    incoming: &mut Incoming,
    owner: &str,
    model: &str,
) -> Result<Response, Refusal> {
    if incoming.route.platform != Platform::Developer {
        return Err(Refusal::no_such_path(&incoming.path));
    }
    let read = generate::read(incoming, Message::BatchGenerateContentRequest).await?;
    let mut request = read.ok_or_else(|| Refusal::invalid("The batch was not kept."))?;
    models::check(incoming, model)?;
    let batch = &mut request["batch"];
    let display_name = batch["displayName"].as_str().unwrap_or_default().to_owned();
    if display_name.is_empty() {
        let message = "* BatchGenerateContentRequest.batch.display_name: must be set";
        return Err(Refusal::invalid(message));
    }
    let config = &mut batch["inputConfig"];
    let inline = config["requests"]["requests"].take();
    let file = config["fileName"].as_str().map(str::to_owned);
    let (requests, output) = match (inline, file) {
        (Value::Array(inline), None) if !inline.is_empty() => {
            (inline.len(), answers(incoming, owner, model, inline))
        }
        (Value::Null, Some(file)) => (0, of_file(incoming, owner, &file)?),
        _ => {
            let message = "* BatchGenerateContentRequest.batch.input_config: must have either \
                requests or a file name";
            return Err(Refusal::invalid(message));
        }
    };
    let mut state = incoming.shared.lock();
    let batch = Batch {
        owner: owner.to_owned(),
        name: format!("batches/{}", state.next_name()),
        model: format!("models/{model}"),
        display_name,
        created: SystemTime::now(),
        requests,
        polls_left: state.settings.processing_polls,
        life: Life::Pending,
        output,
        vertex: false,
    };
    Ok(state.add_batch(batch))
}

impl State {
    fn add_batch(&mut self, batch: Batch) -> Response {
        let value = batch.value();
        self.batches.push(batch);
        json_reply(&value)
    }
}

/// The answers to requests, the last first where all have keys: they are to be matched by key.
fn answers(incoming: &Incoming, owner: &str, model: &str, requests: Vec<Value>) -> Value {
    let keyed = requests.iter().all(|request| request["metadata"]["key"].is_string());
    let mut answers: Vec<Value> =
        requests.into_iter().map(|request| one(incoming, owner, model, request)).collect();
    if keyed {
        answers.reverse();
    }
    json!({"inlinedResponses": {"inlinedResponses": answers}})
}

fn one(incoming: &Incoming, owner: &str, model: &str, mut inlined: Value) -> Value {
    let request = &mut inlined["request"];
    let judge = Judge {
        platform: Platform::Developer,
        owner,
        model,
        base_url: &incoming.shared.base_url,
        file_forbidden: false,
    };
    let judged = judge.request(request, &mut incoming.shared.lock());
    let mut answer = match judged {
        Ok(()) => json!({"response": generate::batch_answer(incoming, model, request)}),
        Err(refusal) => json!({"error": refusal.status()}),
    };
    if !inlined["metadata"].is_null() {
        answer["metadata"] = inlined["metadata"].take();
    }
    answer
}

/// The bytes of files are not kept, so that the answers to their lines are only named.
fn of_file(incoming: &Incoming, owner: &str, file: &str) -> Result<Value, Refusal> {
    let id = file.strip_prefix("files/").unwrap_or(file);
    let mut state = incoming.shared.lock();
    let entry = state.file(owner, id)?;
    if !["application/jsonl", "jsonl", "text/plain"].contains(&entry.file.mime_type.as_str()) {
        let message = format!("Unsupported MIME type: {}", entry.file.mime_type);
        return Err(Refusal::invalid(message));
    }
    Ok(json!({"responsesFile": format!("files/batch-{id}")}))
}

/// `POST batchPredictionJobs` of Vertex.
pub(crate) async fn create_job(incoming: &mut Incoming, owner: &str) -> Result<Response, Refusal> {
    let read = generate::read(incoming, Message::BatchPredictionJob).await?;
    let job = read.ok_or_else(|| Refusal::invalid("The job was not kept."))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let model = text(&job["model"]);
    models::check(incoming, model.rsplit('/').next().unwrap_or_default())?;
    let uris = job["inputConfig"]["gcsSource"]["uris"].as_array();
    let all_gs = uris.is_some_and(|uris| {
        !uris.is_empty() && uris.iter().all(|uri| text(uri).starts_with("gs://"))
    });
    let target = text(&job["outputConfig"]["gcsDestination"]["outputUriPrefix"]);
    if !all_gs || !target.starts_with("gs://") {
        let message = "A job needs inputConfig.gcsSource.uris and \
            outputConfig.gcsDestination.outputUriPrefix, each of the form gs://bucket/object.";
        return Err(Refusal::invalid(message));
    }
    let mut state = incoming.shared.lock();
    let number = state.next_id();
    let batch = Batch {
        owner: owner.to_owned(),
        name: format!("{}batchPredictionJobs/{number}", incoming.route.parent),
        model,
        display_name: text(&job["displayName"]),
        created: SystemTime::now(),
        requests: 0,
        polls_left: state.settings.processing_polls,
        life: Life::Pending,
        output: json!({"inputConfig": job["inputConfig"], "outputConfig": job["outputConfig"]}),
        vertex: true,
    };
    Ok(state.add_batch(batch))
}

/// Everything but the creation of a batch.
pub(crate) fn reach(incoming: &Incoming, owner: &str, access: Access) -> Result<Response, Refusal> {
    let vertex = incoming.route.platform != Platform::Developer;
    let mut state = incoming.shared.lock();
    let own = |batch: &Batch| batch.owner == owner && batch.vertex == vertex;
    let id = match &access {
        Access::Get(id) | Access::Cancel(id) | Access::Delete(id) => id.clone(),
        Access::List => {
            let batches = state.batches.iter().filter(|batch| own(batch)).map(Batch::value);
            let name = if vertex { "batchPredictionJobs" } else { "operations" };
            return Ok(json_reply(&json!({name: batches.collect::<Vec<_>>()})));
        }
        Access::Create | Access::Patch(_) => return Err(Refusal::no_such_path(&incoming.path)),
    };
    let found = state.batches.iter().position(|batch| own(batch) && batch.id() == id);
    let missing = || Refusal::new(404, "NOT_FOUND", "Requested entity was not found.");
    let at = found.ok_or_else(missing)?;
    let batch = &mut state.batches[at];
    match access {
        Access::Get(_) => {
            batch.look();
            return Ok(json_reply(&batch.value()));
        }
        Access::Cancel(_) => batch.life = Life::Cancelled,
        _ => drop(state.batches.remove(at)),
    }
    Ok(json_reply(&json!({})))
}
