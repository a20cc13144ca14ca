use std::{
    net::SocketAddr,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures::task::AtomicWaker;
use socketioxide::socket::Sid;

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
    outbound: AtomicUsize,
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
            outbound: AtomicUsize::new(0),
            upgraded: OnceLock::new(),
        }
    }

    /// Closes it soon, without waiting for the peer.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.reader.wake();
        self.writer.wake();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// How many bytes were queued for the peer and not yet taken by the kernel, roughly: framing is not counted.
    pub(crate) fn outbound(&self) -> usize {
        self.outbound.load(Ordering::Relaxed)
    }

    /// So many bytes were queued.
    pub(crate) fn queued(&self, bytes: usize) {
        self.outbound.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The kernel took so many bytes, framing included; the count stops at nothing, so that errors do not add up.
    pub(super) fn written(&self, bytes: usize) {
        let less = |queued: usize| Some(queued.saturating_sub(bytes));
        // The closure always says Some, so the update cannot fail.
        let _ = self.outbound.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
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
