//! Two futures, the first of which to end wins.

use std::pin::pin;
use std::task::Poll;

/// Which of two came first.
pub(crate) enum First<A, B> {
    Work(A),
    Other(B),
}

/// Runs both; when both are ready, the work has won.
pub(crate) async fn race<A, B>(
    work: impl Future<Output = A>,
    other: impl Future<Output = B>,
) -> First<A, B> {
    let (mut work, mut other) = (pin!(work), pin!(other));
    std::future::poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(First::Work(done));
        }
        other.as_mut().poll(context).map(First::Other)
    })
    .await
}
