use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{Connection, Transports, messages::Frames};

/// A TCP stream that ends when its [`Connection`] is closed.
pub(super) struct Io {
    pub(super) stream: TcpStream,
    pub(super) frames: Frames,
    pub(super) connection: Arc<Connection>,
    pub(super) transports: Arc<Transports>,
    pub(super) open: Gauge,
    /// Its place among the connections that may be open.
    pub(super) _permit: OwnedSemaphorePermit,
    /// Keeps the drain waiting until it is gone.
    pub(super) _tracked: TaskTrackerToken,
}

impl AsyncRead for Io {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Reading nothing is the end of the stream.
        if self.connection.poll_closed_for_read(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Io {
    /// After the close, what the kernel takes at once still goes out, for instance a websocket's goodbye; nothing waits for the peer.
    fn unless_closed<T>(&self, progress: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        match progress {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => {
                ready!(self.connection.poll_closed_for_write(context));
                Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
            }
        }
    }

    /// Counts the messages that the kernel has taken.
    fn count(&mut self, written: &Poll<io::Result<usize>>, slices: &[io::IoSlice<'_>]) {
        let Poll::Ready(Ok(mut bytes)) = *written else { return };
        if !self.connection.is_websocket() {
            return;
        }
        let mut messages = 0;
        for slice in slices {
            let taken = bytes.min(slice.len());
            messages += self.frames.read(&slice[..taken]);
            bytes -= taken;
        }
        if messages > 0 {
            self.connection.outbound().left(messages);
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.count(&written, &[io::IoSlice::new(bytes)]);
        self.unless_closed(written, context)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.count(&written, slices);
        self.unless_closed(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        self.open.dec();
        self.transports.connection_gone(&self.connection);
    }
}
