use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
};

use axum::Router;
use serde_json::Value;
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
};

use crate::{
    answer::Answer,
    cache::Cached,
    call::Call,
    connection::{Connection, Connections},
    fault::Fault,
    files::{HashForm, StoredFile},
    record::Recorded,
    serve::serve,
    store::{Bodies, Shared},
    usage::Modality,
};

/// A running server on 127.0.0.1 with a thread of its own. It serves the Developer API, Vertex
/// and the OpenAI-compatible paths at once, and stops when dropped, whatever is still going on.
pub struct Service {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    /// Starts a server on a free port.
    pub fn start() -> io::Result<Self> {
        Self::start_on(0)
    }

    /// Starts a server on this port; 0 is any free one.
    pub fn start_on(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        listener.set_nonblocking(true)?;
        let shared = Arc::new(Shared::new(format!("http://{}", listener.local_addr()?)));
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let for_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("mediaprep-service".into())
            .spawn(move || run(&runtime, listener, for_thread, stopped))?;
        Ok(Self { shared, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`, with the path prefix if one is set.
    pub fn base_url(&self) -> String {
        format!("{}{}", self.shared.base_url, self.shared.lock().settings.path_prefix)
    }

    /// Queues a fault: in order, each hits the next call of its kind once.
    pub fn push_fault(&self, on: Call, fault: Fault) {
        self.shared.lock().faults.push(on, fault);
    }

    /// Makes a fault hit every call of a kind from now on, behind those that are queued. Of
    /// several the last set hits.
    pub fn always(&self, on: Call, fault: Fault) {
        self.shared.lock().faults.always(on, fault);
    }

    /// Takes all faults away that have not hit yet. An upload that is stuck stays so.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Every request as it was received, in order, also those still going on.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.lock().recorded.clone()
    }

    /// Forgets the requests, refusals and received bytes so far. Call it between requests only.
    pub fn clear_records(&self) {
        let mut state = self.shared.lock();
        state.recorded.clear();
        state.refusals.clear();
        state.bytes_received = 0;
    }

    /// Why strictness refused what it refused, in order: the code and the message. Faults are not
    /// among them.
    pub fn refusals(&self) -> Vec<String> {
        self.shared.lock().refusals.clone()
    }

    /// The files there are, the oldest first, whosever they are.
    pub fn files(&self) -> Vec<StoredFile> {
        self.shared.lock().files.iter().map(|entry| entry.file.clone()).collect()
    }

    /// Adds a file that was never uploaded. `state` PROCESSING ends after as many GETs as are
    /// set, at least one.
    pub fn add_file(&self, file: StoredFile) {
        self.shared.lock().add_file(file);
    }

    /// Takes a file away as its expiry would; whether there was one.
    pub fn forget_file(&self, name: &str) -> bool {
        let mut state = self.shared.lock();
        let before = state.files.len();
        state.files.retain(|entry| entry.file.name != name);
        state.files.len() < before
    }

    /// Forgets all uploads that are going on: their URLs answer 404 from now on.
    pub fn forget_uploads(&self) {
        self.shared.lock().uploads.clear();
    }

    /// Adds a cached content known by its name, for a key or a project.
    pub fn add_cached_content(&self, owner: &str, name: &str) {
        self.shared.lock().caches.push(Cached::named(owner, name));
    }

    /// How many bytes came in the bodies of uploads, also those that were not kept.
    pub fn bytes_received(&self) -> u64 {
        self.shared.lock().bytes_received
    }

    /// Of what the length of a piece must be a multiple, in bytes; 8388608 unless set, at least 1.
    pub fn set_granularity(&self, bytes: u64) {
        self.shared.lock().settings.granularity = bytes.max(1);
    }

    /// In which steps a piece that breaks off is kept, in bytes; 262144 unless set, at least 1,
    /// and never more than the granularity.
    pub fn set_keep_step(&self, bytes: u64) {
        self.shared.lock().settings.keep_step = bytes.max(1);
    }

    /// How many GETs of a file uploaded from now on say PROCESSING before one says ACTIVE; 0
    /// unless set: files are ACTIVE at once. Batches go by it, too.
    pub fn set_processing_polls(&self, polls: u32) {
        self.shared.lock().settings.processing_polls = polls;
    }

    /// What generate and stream answer from now on.
    pub fn set_answer(&self, answer: Answer) {
        self.shared.lock().settings.answer = answer;
    }

    /// What counts tokens from now on, for countTokens and for the usage of answers: a function
    /// of a `GenerateContentRequest` with lowerCamelCase names, in which each file has its MIME
    /// type. Counts of one modality are added up.
    ///
    /// Unless set: one token for each four characters of text begun; whatever its size, 258 for
    /// an image or PDF, 263 for a video, 32 for a sound, 64 for a text file.
    pub fn set_token_counter<F>(&self, counter: F)
    where
        F: Fn(&Value) -> Vec<(Modality, u64)> + Send + Sync + 'static,
    {
        self.shared.lock().settings.token_counter = Arc::new(counter);
    }

    /// What `sha256Hash` of files is; the base64 of the raw digest unless set.
    pub fn set_hash_form(&self, form: HashForm) {
        self.shared.lock().settings.hash_form = form;
    }

    /// The most bytes of a body that is no upload; 104857600 unless set. A larger one is answered
    /// by 413.
    pub fn set_body_limit(&self, bytes: u64) {
        self.shared.lock().settings.body_limit = bytes;
    }

    /// Serves below this path (`/gateway`) alone, as behind a gateway; empty is everywhere.
    /// Upload URLs in answers stay without it.
    pub fn set_path_prefix(&self, prefix: &str) {
        self.shared.lock().settings.path_prefix = prefix.trim_end_matches('/').to_owned();
    }

    /// Keeps no bodies from now on, so that memory stays constant: records have none, and JSON
    /// bodies of more than 1 MiB are not judged. Uploads are still hashed when `hash` is true.
    pub fn sink(&self, hash: bool) {
        self.shared.lock().settings.bodies = Bodies::Sunk { hashed: hash };
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Serves until told to stop. What is still going on ends with the runtime.
fn run(
    runtime: &Runtime,
    listener: TcpListener,
    shared: Arc<Shared>,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        let router = Router::new().fallback(serve).with_state(shared);
        let maker = router.into_make_service_with_connect_info::<Connection>();
        let serving = tokio::spawn(async { axum::serve(Connections(listener), maker).await });
        let _ = stopped.await;
        serving.abort();
    });
}
