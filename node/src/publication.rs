//! The live ledger for whoever verifies it: the public files of c2sp.org/tlog-tiles over HTTP/1.1, to be read only.
//!
//! ```text
//! /checkpoint                      the newest signed head
//! /cosigned                        the same with witnesses' cosignatures, where there are any
//! /tile/<L>/<N>[.p/<W>]            hashes
//! /tile/entries/<N>[.p/<W>]        leaves: kind, time, salted commitment, public digests
//! /trust-list                      the trust list in force, as the council signed it (CBOR)
//! ```
//!
//! Nobody is named in any of it, and full entries never leave the house. A path is understood before anything is
//! read: it names one of these, or it is answered 404 and touches no file. Must not know: what an entry means.

mod door;
mod resource;
#[cfg(test)]
mod tests;
mod token;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use hibiki_protocol::cbor;

use crate::env::Env;
use crate::institution::Trust;
use crate::ledger::Ledger;
use crate::observe::metrics;
use crate::shutdown::Shutdown;
use door::Door;
use resource::Resource;

pub use token::{Token, TokenError};

/// Whoever is told to come again does so after this many seconds.
const RETRY_AFTER_SECONDS: &str = "10";
/// A tile never changes: whoever has it need not ask again.
const FOR_EVER: &str = "private, max-age=31536000, immutable";
/// A head is out of date in a minute.
const EACH_TIME: &str = "no-cache";

/// What is published.
#[derive(Clone)]
pub struct Source {
    /// The ledger.
    pub ledger: Ledger,
    /// Gives the trust list in force.
    pub trust: Trust,
    /// The world.
    pub env: Env,
    /// Who may read it; nobody named: whoever reaches the address.
    pub token: Option<Arc<Token>>,
}

/// The bound publication.
pub struct Publication {
    source: Source,
    door: Door,
}

impl Publication {
    /// Binds the address; it is served by [`Self::serve`].
    ///
    /// # Errors
    /// The address cannot be used.
    pub async fn bind(address: SocketAddr, source: Source) -> io::Result<Self> {
        Ok(Self { source, door: Door::bind(address).await? })
    }

    /// Where it really is (port 0 lets the system choose).
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.door.address()
    }

    /// Serves until the node drains.
    pub async fn serve(self, mut shutdown: Shutdown) {
        let web = Router::new().fallback(answer).with_state(self.source);
        let served =
            axum::serve(self.door, web).with_graceful_shutdown(async move { shutdown.draining().await });
        if let Err(error) = served.await {
            tracing::error!(%error, "the publication of the ledger has ended");
        }
    }
}

/// One answer in the making.
enum Answer {
    /// A file.
    File { bytes: Vec<u8>, media_type: &'static str, keep: &'static str },
    /// The reader is not known.
    Unknown,
    /// Another method than GET.
    Method,
    /// There is no such file.
    Missing,
    /// It cannot be read at present.
    Later,
}

impl Answer {
    /// The label of the metric.
    const fn result(&self) -> &'static str {
        match self {
            Self::File { .. } => "served",
            Self::Unknown => "refused",
            Self::Method => "method",
            Self::Missing => "missing",
            Self::Later => "failed",
        }
    }
}

async fn answer(State(source): State<Source>, request: Request) -> Response {
    // Whatever body there is, is not read.
    let (asked, _) = request.into_parts();
    let answer = source.look(&asked).await;
    metrics::count_result(metrics::PUBLICATION_REQUESTS, answer.result());
    let say = |status: StatusCode, words: &'static str, header: Option<(HeaderName, &'static str)>| {
        let mut response = (status, words).into_response();
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    };
    let mut response = match answer {
        Answer::File { bytes, media_type, keep } => {
            let mut response = Body::from(bytes).into_response();
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(keep));
            response
        }
        Answer::Unknown => say(
            StatusCode::UNAUTHORIZED,
            "the ledger is read with the token of this institution: Authorization: Bearer ...\n",
            Some((WWW_AUTHENTICATE, "Bearer realm=\"hibiki ledger\"")),
        ),
        Answer::Method => {
            say(StatusCode::METHOD_NOT_ALLOWED, "the ledger is only read: GET\n", Some((ALLOW, "GET")))
        }
        Answer::Missing => say(
            StatusCode::NOT_FOUND,
            "no such file: /checkpoint, /cosigned, /tile/... as c2sp.org/tlog-tiles names them, /trust-list\n",
            None,
        ),
        Answer::Later => say(
            StatusCode::SERVICE_UNAVAILABLE,
            "not to be read at present; ask again\n",
            Some((RETRY_AFTER, RETRY_AFTER_SECONDS)),
        ),
    };
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // One request a connection: whoever stays keeps nobody else out for long.
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

impl Source {
    /// Who asks, how, and what; only then anything is read.
    async fn look(&self, asked: &Parts) -> Answer {
        if self.token.as_ref().is_some_and(|token| !token.is_brought_by(&asked.headers)) {
            return Answer::Unknown;
        }
        if asked.method != Method::GET {
            return Answer::Method;
        }
        let (path, query) = (asked.uri.path(), asked.uri.query());
        let Some(resource) = Resource::parse(path).filter(|_| query.is_none()) else {
            return Answer::Missing;
        };
        let source = self.clone();
        let read = self.env.blocking(move || source.read(resource)).await;
        let (media_type, keep) = match resource {
            Resource::Checkpoint | Resource::Cosigned => ("text/plain; charset=utf-8", EACH_TIME),
            Resource::TrustList => ("application/cbor", EACH_TIME),
            Resource::Hashes(_) | Resource::Entries(_) => ("application/octet-stream", FOR_EVER),
        };
        match read {
            Some(Ok(Some(bytes))) => Answer::File { bytes, media_type, keep },
            // A ledger has a head from its first minute on: it is not missing, it is to come.
            Some(Ok(None)) if matches!(resource, Resource::Checkpoint) => Answer::Later,
            Some(Ok(None)) => Answer::Missing,
            Some(Err(error)) => {
                tracing::error!(%error, "a published file of the ledger cannot be read");
                Answer::Later
            }
            None => Answer::Later,
        }
    }

    fn read(&self, resource: Resource) -> io::Result<Option<Vec<u8>>> {
        match resource {
            Resource::Checkpoint => Ok(self.ledger.newest_checkpoint().map(String::into_bytes)),
            Resource::Cosigned => Ok(self.ledger.cosigned().map(String::into_bytes)),
            Resource::Hashes(tile) => self.ledger.published_hashes(tile),
            Resource::Entries(tile) => self.ledger.published_entries(tile),
            Resource::TrustList => Ok(Some(cbor::encode((self.trust)().signed()))),
        }
    }
}
