use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures::task::AtomicWaker;
use socketioxide::socket::Sid;

use super::Outbound;

/// What the rest of the gateway knows of a TCP connection: it can close it, and see how far behind its peer is.
///
/// A stock client reconnects by itself only after its transport was closed; a socket.io disconnect would make it stay away.
/// Hence this: closing makes reads end and writes fail instead of waiting, whatever layers lie between.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: SocketAddr,
    closed: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
    websocket: AtomicBool,
    /// What waits for the client that it is the websocket of.
    pub(super) outbound: OnceLock<Arc<Outbound>>,
    /// The polling session that moved to this connection.
    pub(super) upgraded: OnceLock<Sid>,
}

impl Connection {
    pub(super) fn new(peer: SocketAddr) -> Self {
        Self {
            peer,
            closed: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            websocket: AtomicBool::new(false),
            outbound: OnceLock::new(),
            upgraded: OnceLock::new(),
        }
    }

    /// Closes it soon, without waiting for the peer.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.reader.wake();
        self.writer.wake();
    }

    /// The answer that makes it a websocket is about to be written.
    pub(crate) fn become_websocket(&self) {
        self.websocket.store(true, Ordering::Release);
    }

    pub(super) fn is_websocket(&self) -> bool {
        self.websocket.load(Ordering::Acquire)
    }

    pub(super) fn outbound(&self) -> &Arc<Outbound> {
        self.outbound.get_or_init(Arc::default)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Ready once it is closed.
    pub(super) fn poll_closed_for_read(&self, context: &mut Context<'_>) -> Poll<()> {
        self.poll_closed(&self.reader, context)
    }

    /// Ready once it is closed.
    pub(super) fn poll_closed_for_write(&self, context: &mut Context<'_>) -> Poll<()> {
        self.poll_closed(&self.writer, context)
    }

    fn poll_closed(&self, waker: &AtomicWaker, context: &mut Context<'_>) -> Poll<()> {
        waker.register(context.waker());
        if self.is_closed() { Poll::Ready(()) } else { Poll::Pending }
    }
}
