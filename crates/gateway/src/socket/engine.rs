use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use socketioxide::{ParserConfig, SocketIo, TransportType, socket::Sid};

use super::connect::Door;
use crate::{
    GatewaySettings,
    app::App,
    net::{Connection, Transports},
};

/// What surrounds a payload in a packet, and room for saying by code that one is too large, rather than cutting the connection.
const ENVELOPE: usize = 1 << 20;
/// Pieces of binary in one packet.
const MAX_ATTACHMENTS: usize = 100;
/// Messages that may wait for one client; `MAX_OUTBOUND_BYTES` bounds their size. A client that was offline sends all that it
/// meant to say at once, and each of these is answered, be it with `rate_limited`. Unused slots take no memory.
const MAX_BUFFERED: usize = 8192;
/// How long a connection may take to enter the namespace.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long moving from polling to a websocket may take.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);
/// Socket reads begin with this; idle sockets keep it.
const READ_BUFFER: usize = 512;

/// engine.io's own answer to a session that it does not know: clients then begin anew, perhaps at another gateway.
const UNKNOWN_SESSION: &str = r#"{"code":1,"message":"Session ID unknown"}"#;

/// The headers that engine.io reads.
const HEADERS: [header::HeaderName; 6] = [
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::UPGRADE,
    header::CONNECTION,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
];

/// The socket.io server, for `/socket.io/`.
pub(crate) fn engine(settings: &GatewaySettings, app: &Arc<App>) -> (Router, SocketIo) {
    let transports = Arc::clone(&app.transports);
    let largest = settings.max_payload_bytes + ENVELOPE;
    let parser = ParserConfig::common().max_incoming_binaries(MAX_ATTACHMENTS).max_incoming_binary_buf_size(largest);
    let (service, io) = SocketIo::builder()
        .with_parser(parser)
        .transports([TransportType::Polling, TransportType::Websocket])
        .ping_interval(settings.ping_interval)
        .ping_timeout(settings.ping_timeout)
        .connect_timeout(CONNECT_TIMEOUT)
        .upgrade_timeout(UPGRADE_TIMEOUT)
        .max_buffer_size(MAX_BUFFERED)
        // Polling carries binary as base64.
        .max_payload((largest as u64).div_ceil(3) * 4)
        .ws_max_message_size(largest)
        .ws_max_frame_size(largest)
        .ws_read_buffer_size(READ_BUFFER)
        .build_svc();
    io.ns("/", Door { app: Arc::clone(app) });
    let router = Router::new()
        .route_service("/socket.io", service.clone())
        .route_service("/socket.io/", service)
        .layer(from_fn_with_state(transports, know_the_connection));
    (router, io)
}

/// Finds out which connection belongs to which session, before socket.io gets a request.
async fn know_the_connection(State(transports): State<Arc<Transports>>, request: Request, next: Next) -> Response {
    let (mut request, connection) = slimmed(request);
    let query = request.uri().query().unwrap_or_default();
    let sid: Option<Sid> = query.split('&').find_map(|pair| pair.strip_prefix("sid=")).and_then(|sid| sid.parse().ok());
    let is_websocket = query.split('&').any(|pair| pair == "transport=websocket");
    match (is_websocket, sid, connection) {
        (true, sid, Some(connection)) => {
            if let Some(sid) = sid {
                transports.upgrade(sid, &connection);
            } else {
                request.extensions_mut().insert(Arc::clone(&connection));
            }
            let answer = next.run(request).await;
            if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                connection.become_websocket();
            }
            answer
        }
        (false, Some(sid), _) => match transports.poller(sid) {
            Some(poller) => poller.answer(next.run(request)).await.unwrap_or_else(unknown_session),
            None => next.run(request).await,
        },
        _ => next.run(request).await,
    }
}

/// Copies what is needed of a request. socket.io keeps its head for as long as the socket lives, and every header,
/// the URI and axum's copy of it would keep the whole 16 KiB that they were read into.
fn slimmed(request: Request) -> (Request, Option<Arc<Connection>>) {
    let (parts, body) = request.into_parts();
    let mut extensions = parts.extensions;
    let mut slim = Request::new(Body::empty());
    *slim.method_mut() = parts.method;
    *slim.version_mut() = parts.version;
    *slim.uri_mut() = parts.uri.to_string().parse::<Uri>().unwrap_or_default();
    *slim.headers_mut() = copied(&parts.headers);
    if let Some(upgrade) = extensions.remove::<OnUpgrade>() {
        slim.extensions_mut().insert(upgrade);
    }
    *slim.body_mut() = body;
    (slim, extensions.remove())
}

fn copied(headers: &HeaderMap) -> HeaderMap {
    let copy = |name: &header::HeaderName| {
        let value = headers.get(name)?;
        Some((name.clone(), HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    HEADERS.iter().filter_map(copy).collect()
}

fn unknown_session() -> Response {
    (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], UNKNOWN_SESSION).into_response()
}
