//! quinn's datagram socket, on the fabric. When quinn changes that trait, this file changes.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};

use crate::fabric::{Fabric, SharedInbox};

/// A bound socket of a host. Dropping it gives the address back.
#[derive(Debug)]
pub(crate) struct HostSocket {
    fabric: Arc<Fabric>,
    address: SocketAddr,
    inbox: SharedInbox,
}

impl HostSocket {
    pub(crate) fn bind(fabric: &Arc<Fabric>, address: SocketAddr) -> io::Result<Self> {
        let inbox = fabric.bind(address).ok_or(io::ErrorKind::AddrInUse)?;
        Ok(Self { fabric: fabric.clone(), address, inbox })
    }
}

impl Drop for HostSocket {
    fn drop(&mut self) {
        self.fabric.unbind(self.address, &self.inbox);
    }
}

/// The fabric takes every datagram at once.
#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncUdpSocket for HostSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let segment = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
        for payload in transmit.contents.chunks(segment) {
            self.fabric.send(self.address, &self.inbox, transmit.destination, transmit.ecn, payload);
        }
        Ok(())
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read = 0;
        for (buffer, meta) in buffers.iter_mut().zip(metas) {
            let Some(datagram) = inbox.waiting.pop_front() else { break };
            // A buffer that is too short cuts the datagram, as recvmsg does.
            let length = datagram.payload.len().min(buffer.len());
            buffer.iter_mut().zip(datagram.payload.iter()).for_each(|(to, from)| *to = *from);
            *meta = RecvMeta::default();
            (meta.addr, meta.len, meta.stride, meta.ecn) = (datagram.from, length, length, datagram.ecn);
            read += 1;
        }
        if read > 0 {
            return Poll::Ready(Ok(read));
        }
        inbox.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    fn may_fragment(&self) -> bool {
        false
    }
}
