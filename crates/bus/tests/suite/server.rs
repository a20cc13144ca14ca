//! Either server behind a network that can be broken, and what stories need around it.

use std::{
    future::Future,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bus::{Bus, BusSettings, ConsumeOptions, Consumer, Delivery, Message, SubscriptionName, SubscriptionSpec, TopicName, Topology};
use emulator::{Emulator, Running};
use google_cloud_auth::credentials::anonymous;
use google_cloud_pubsub::client::{SubscriptionAdmin, TopicAdmin};
use service::{Metrics, State};
use tokio::time::{sleep, timeout};

use crate::{google, proxy::Proxy};

/// More than anything here should take on a busy machine, also when Google's emulator loses a delivery to a closed stream.
const PATIENCE: Duration = Duration::from_secs(40);

pub struct Server {
    pub network: Proxy,
    /// Google's emulator begins a new subscription with what the topic has kept, asked or not, and sends more than it is asked for.
    pub is_googles: bool,
    /// Keeps the stories apart, which share Google's emulator.
    prefix: String,
    _emulator: Option<Running>,
}

impl Server {
    pub async fn embedded() -> Self {
        let emulator = Emulator::default().bind("127.0.0.1:0").await.unwrap().spawn();
        let network = Proxy::before(emulator.host()).await;
        Self { network, is_googles: false, prefix: prefix(), _emulator: Some(emulator) }
    }

    pub async fn google() -> Option<Self> {
        let Some(host) = google::host().await else {
            google::left_out();
            return None;
        };
        Some(Self { network: Proxy::before(host.to_owned()).await, is_googles: true, prefix: prefix(), _emulator: None })
    }

    /// How long something may take that our server does in `time`.
    ///
    /// Google's emulator does not notice that a stream was closed and goes on delivering to it, of all streams that it knows to the first
    /// that looks for something every 50 ms. What it delivers there waits out a lease of 10 s; this grants three of them.
    pub fn grants(&self, time: Duration) -> Duration {
        if self.is_googles { time + Duration::from_secs(36) } else { time }
    }

    /// How many workers it takes to get a batch that was handed back: with Google's emulator, enough to be first once in [`Self::grants`].
    pub fn workers_to_notice(&self) -> usize {
        if self.is_googles { 9 } else { 1 }
    }

    pub fn settings(&self) -> BusSettings {
        let host = self.network.address.to_string();
        BusSettings {
            topic_prefix: self.prefix.clone(),
            google_cloud_project: Some("mayfly-test".to_owned()),
            ..BusSettings::emulator(host)
        }
    }

    pub async fn bus(&self) -> Bus {
        connect(&self.settings()).await
    }

    /// A bus with one topic and one subscription, as workers would have them.
    pub async fn queue(&self) -> Queue {
        self.queue_with(&self.settings()).await
    }

    pub async fn queue_with(&self, settings: &BusSettings) -> Queue {
        let metrics = Metrics::default();
        let bus = Bus::connect(settings, &metrics).await.unwrap();
        let (topic, subscription) = (bus.names().topic("queue"), bus.names().subscription("queue"));
        let spec = SubscriptionSpec::shared(topic.clone());
        let topology = Topology::new(bus.names()).topic(topic.clone()).subscription(subscription.clone(), spec);
        bus.ensure(topology).await.unwrap();
        Queue { bus, topic, subscription, metrics }
    }

    /// Somebody else's, whose network is fine.
    pub async fn topics(&self) -> TopicAdmin {
        let builder = TopicAdmin::builder().with_endpoint(format!("http://{}", self.network.server));
        builder.with_credentials(anonymous::Builder::new().build()).build().await.unwrap()
    }

    /// Likewise.
    pub async fn subscriptions(&self) -> SubscriptionAdmin {
        let builder = SubscriptionAdmin::builder().with_endpoint(format!("http://{}", self.network.server));
        builder.with_credentials(anonymous::Builder::new().build()).build().await.unwrap()
    }
}

pub struct Queue {
    pub bus: Bus,
    pub topic: TopicName,
    pub subscription: SubscriptionName,
    metrics: Metrics,
}

impl Queue {
    pub async fn publish(&self, body: impl Into<String>) -> String {
        self.bus.publish(&self.topic, text(body)).await.unwrap()
    }

    pub fn consume(&self) -> Consumer {
        self.bus.consume(&self.subscription, ConsumeOptions::default())
    }

    /// Waits until this process has taken so many deliveries, whether or not anybody was given them.
    pub async fn taken(&self, number: usize) {
        self.counted(&format!("mayfly_bus_received_total{{subscription=\"{}\"}} {number}", self.subscription.id())).await;
    }

    /// Waits for a line in the metrics, or the beginning of one.
    pub async fn counted(&self, line: &str) {
        let counted = async {
            while !self.metrics.encode().contains(line) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        soon(line, counted).await;
    }
}

pub async fn connect(settings: &BusSettings) -> Bus {
    Bus::connect(settings, &Metrics::default()).await.unwrap()
}

pub fn text(body: impl Into<String>) -> Message {
    Message::new(Default::default(), body.into())
}

pub fn body(delivery: &Delivery) -> String {
    String::from_utf8(delivery.message.body.to_vec()).unwrap()
}

/// The next delivery; there must be one.
pub async fn next(consumer: &mut Consumer) -> Delivery {
    soon("a delivery", consumer.next()).await.unwrap()
}

/// The next delivery of `wanted`, after others perhaps.
pub async fn next_like(consumer: &mut Consumer, wanted: &str) -> Delivery {
    loop {
        let delivery = next(consumer).await;
        if body(&delivery) == wanted {
            return delivery;
        }
        delivery.ack();
    }
}

pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    within(PATIENCE, what, future).await
}

pub async fn within<T>(time: Duration, what: &str, future: impl Future<Output = T>) -> T {
    timeout(time, future).await.unwrap_or_else(|_| panic!("{what}: not within {time:?}"))
}

/// Nothing may come for this long.
pub async fn nothing_for(time: Duration, consumer: &mut Consumer) {
    if let Ok(Some(delivery)) = timeout(time, consumer.next()).await {
        panic!("unexpected: {delivery:?}");
    }
}

pub async fn becomes(bus: &Bus, state: State) {
    soon(&format!("{state:?}"), bus.status().wait_for(|now| *now == state)).await.unwrap();
}

fn prefix() -> String {
    static STORIES: AtomicU32 = AtomicU32::new(0);
    let story = STORIES.fetch_add(1, Ordering::Relaxed);
    format!("t{}-{}-{story}-", jiff::Timestamp::now().as_microsecond(), std::process::id())
}
