use std::{sync::Arc, time::Duration};

use axum::{
    extract::{ConnectInfo, Request, State},
    response::Response,
};

use crate::{
    auth, batch, cache, chat,
    connection::Connection,
    fault::{Fault, StreamFault},
    files, generate,
    incoming::Incoming,
    models,
    refusal::{Refusal, reply, set_header},
    route::{Access, Platform, Target, Verb},
    simple_upload,
    store::Shared,
    upload,
};

/// How the work on a request is to go wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    pub(crate) stream: Option<StreamFault>,
    /// Of this body so many bytes are read before the connection is reset.
    pub(crate) cut: Option<u64>,
    /// Of this body so many bytes are counted.
    pub(crate) counted: Option<u64>,
    pub(crate) no_upload_url: bool,
    pub(crate) upload_host: Option<String>,
    pub(crate) stuck: bool,
    pub(crate) file_failed: bool,
    pub(crate) file_forbidden: bool,
    lose_answer: bool,
}

/// Answers any request.
pub(crate) async fn serve(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let mut incoming = Incoming::new(shared, connection, head, body);
    let fault = incoming.shared.lock().faults.take(incoming.route.call);
    let effects = match before(&mut incoming, fault).await {
        Ok(effects) => effects,
        Err(response) => return response,
    };
    let result = judged(&mut incoming, &effects).await;
    let response = result.unwrap_or_else(|refusal| {
        // Neither a fault nor a client that goes away is what strictness refused.
        if !effects.file_forbidden && !refusal.is_departure() {
            incoming.shared.lock().refusals.push(refusal.reason());
        }
        refusal.response()
    });
    incoming.drain().await;
    if effects.lose_answer {
        incoming.connection.reset();
    } else {
        incoming.answered(response.status().as_u16());
    }
    response
}

/// Plays what comes before any work: the answer if there is to be no work.
async fn before(incoming: &mut Incoming, fault: Option<Fault>) -> Result<Effects, Response> {
    let mut effects = Effects::default();
    match fault {
        None => {}
        Some(Fault::Status { code, body, content_type, headers }) => {
            incoming.drain().await;
            let mut response = reply(code, body, &content_type);
            for (name, value) in &headers {
                set_header(&mut response, name, value);
            }
            incoming.answered(code);
            return Err(response);
        }
        Some(Fault::Reset) => {
            incoming.connection.reset();
            return Err(Response::default());
        }
        Some(Fault::Silence) => {
            incoming.drain().await;
            std::future::pending::<()>().await;
        }
        Some(Fault::DelayMs(milliseconds)) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        Some(Fault::ResetAfter { received }) => {
            effects.cut = Some(received);
            let upload = matches!(incoming.route.target, Target::UploadSession(_));
            if !upload {
                read_and_reset(incoming, received).await;
                return Err(Response::default());
            }
        }
        Some(Fault::LoseAnswer) => effects.lose_answer = true,
        Some(Fault::Short { received }) => effects.counted = Some(received),
        Some(Fault::NoUploadUrl) => effects.no_upload_url = true,
        Some(Fault::UploadUrlHost(host)) => effects.upload_host = Some(host),
        Some(Fault::StuckQuery) => effects.stuck = true,
        Some(Fault::FileFailed) => effects.file_failed = true,
        Some(Fault::FileForbidden) => effects.file_forbidden = true,
        Some(Fault::Stream(fault)) => effects.stream = Some(fault),
    }
    Ok(effects)
}

async fn read_and_reset(incoming: &mut Incoming, received: u64) {
    let mut read = 0;
    while read < received {
        match incoming.next().await {
            Some(Ok(bytes)) => read += bytes.len() as u64,
            _ => break,
        }
    }
    incoming.connection.reset();
}

/// Judges what all requests have in common, then does what this one asks.
async fn judged(incoming: &mut Incoming, effects: &Effects) -> Result<Response, Refusal> {
    auth::headers(incoming)?;
    let target = incoming.route.target.clone();
    if target == Target::Unknown {
        return Err(Refusal::no_such_path(&incoming.path));
    }
    // An upload URL is a capability: no key is asked there.
    if let Target::UploadSession(id) = &target {
        return upload::go_on(incoming, id, effects).await;
    }
    let owner = auth::owner(incoming)?;
    auth::parameters(incoming)?;
    match target {
        Target::Model { name, verb } => match verb {
            Verb::Generate => generate::unary(incoming, &owner, &name, effects).await,
            Verb::Stream => generate::streamed(incoming, &owner, &name, effects).await,
            Verb::Count => generate::count(incoming, &owner, &name, effects).await,
            Verb::Batch => batch::create(incoming, &owner, &name).await,
        },
        Target::ModelInfo(name) => models::get(incoming, &name),
        Target::ModelList => Ok(models::list()),
        Target::UploadNew => match incoming.header("x-goog-upload-protocol") {
            Some("resumable") => upload::start(incoming, owner, effects).await,
            _ => simple_upload::upload(incoming, owner, effects).await,
        },
        Target::File(Access::List) => files::list(incoming, &owner),
        Target::File(Access::Get(id)) => files::get(incoming, &owner, &id, effects),
        Target::File(Access::Delete(id)) => files::delete(incoming, &owner, &id, effects).await,
        Target::Register => files::register(incoming, &owner).await,
        Target::Batch(Access::Create) => batch::create_job(incoming, &owner).await,
        Target::Batch(access) => batch::reach(incoming, &owner, access),
        Target::Cache(access) => cache::reach(incoming, &owner, access).await,
        Target::Chat if incoming.route.platform == Platform::Express => {
            Err(Refusal::no_such_path(&incoming.path))
        }
        Target::Chat => chat::complete(incoming).await.map_err(Refusal::in_array),
        Target::File(_) | Target::UploadSession(_) | Target::Unknown => {
            Err(Refusal::no_such_path(&incoming.path))
        }
    }
}
