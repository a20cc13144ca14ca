use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use rand::seq::SliceRandom;
use serde::Serialize;
use socketioxide::{extract::SocketRef, socket::Sid};
use tokio::{
    task::yield_now,
    time::{Instant, sleep_until},
};
use tracing::{debug, info};

use crate::{
    app::App,
    relay::{Packet, Urgency},
    socket::Client,
};

/// Over how long many clients are spread at most.
const WINDOW: Duration = Duration::from_secs(8);
/// What part of the drain budget that may be.
const WINDOW_SHARE: (u32, u32) = (2, 3);
/// How long at most is between two clients: few of them need no long goodbye.
const GAP: Duration = Duration::from_millis(400);
/// How long a client that waits for an answer is given at a time, and how often newcomers are looked for.
const PATIENCE: Duration = Duration::from_millis(100);
/// How many are told in one go before others get their turn.
const BATCH: usize = 256;
/// How long a client that waits for an answer is given in all: longer than any publish may take.
const LONGEST_ANSWER: Duration = Duration::from_millis(1_500);

/// What clients are told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Leaving {
    reconnect_after_ms: u64,
}

/// When each client is closed.
#[derive(Default)]
struct Plan {
    /// Ties are broken by number.
    turns: BTreeMap<(Instant, u64), SocketRef>,
    planned: HashSet<Sid>,
    number: u64,
}

/// Closes every client's transport, spread over time, so that stock clients come back elsewhere by themselves and not all at
/// once. Ends when nobody is left and no newcomers are to be expected, which is `linger` after the beginning, or when the time for
/// it is over.
pub(super) async fn send_away(app: &App, linger: Duration) {
    let (part, whole) = WINDOW_SHARE;
    let window = WINDOW.min(app.lifecycle.budget() * part / whole);
    let began = Instant::now();
    let mut plan = Plan::default();
    let mut look_at = began;
    info!(clients = app.courier.sockets().len(), window_ms = window.as_millis(), "sending clients away");
    loop {
        let now = Instant::now();
        // Not at every turn: looking at all clients for each of them would take longer than there is.
        if now >= look_at {
            plan.add(app, window.saturating_sub(now - began)).await;
            look_at = now + PATIENCE;
        }
        let Some((&(turn, number), _)) = plan.turns.first_key_value() else {
            if now >= began + linger.min(window) {
                break;
            }
            sleep_until(look_at).await;
            continue;
        };
        if turn > now {
            sleep_until(turn.min(look_at)).await;
            continue;
        }
        let Some(socket) = plan.turns.remove(&(turn, number)) else { continue };
        let Some(client) = socket.extensions.get::<Arc<Client>>() else { continue };
        if client.is_busy() && now < began + window + LONGEST_ANSWER {
            plan.at(now + PATIENCE, socket);
        } else {
            client.close();
        }
    }
}

/// Closes whoever came at the very end.
pub(super) fn close_all(app: &App) {
    for socket in app.courier.sockets() {
        if let Some(client) = socket.extensions.get::<Arc<Client>>() {
            client.close();
        }
    }
}

impl Plan {
    /// Gives everybody who has none a turn within `window`, one in each of as many equal parts, and tells them.
    async fn add(&mut self, app: &App, window: Duration) {
        let mut sockets = app.courier.sockets();
        sockets.retain(|socket| self.planned.insert(socket.id));
        if sockets.is_empty() {
            return;
        }
        sockets.shuffle(&mut rand::rng());
        let count = u32::try_from(sockets.len()).unwrap_or(u32::MAX);
        let part = (window / count).min(GAP);
        let mut turns = Vec::with_capacity(sockets.len());
        for (index, socket) in (0..count).zip(sockets) {
            let after = part * index + part.mul_f64(rand::random::<f64>());
            let reconnect_after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            match Packet::of_json("drain", Urgency::Perishable, &Leaving { reconnect_after_ms }) {
                Ok(packet) => app.courier.send(&socket, &packet),
                Err(error) => debug!(%error, "a goodbye cannot be written"),
            }
            turns.push((after, socket));
            if turns.len().is_multiple_of(BATCH) {
                yield_now().await;
            }
        }
        // Telling them takes a while; the first turns must not be over by then.
        let now = Instant::now();
        turns.into_iter().for_each(|(after, socket)| self.at(now + after, socket));
    }

    fn at(&mut self, turn: Instant, socket: SocketRef) {
        self.number += 1;
        self.turns.insert((turn, self.number), socket);
    }
}
