//! A job's way from a submit to its end.

use serde_json::json;
use shared::{Audience, EventType, JobId, Payload};

use crate::support::{FakeWorker, Heard, Installation};

#[tokio::test]
async fn a_job_is_acknowledged_then_followed_to_its_end() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let id = JobId::new().to_string();
    let options = json!({ "timeoutMs": 1500, "maxAttempts": 2 });
    let ack = client.ask("job:submit", json!({ "id": id, "kind": "echo", "payload": { "text": "hi" }, "options": options })).await;
    assert_eq!(ack, json!({ "ok": true, "id": id }));

    let job = worker.job().await;
    assert_eq!(job.payload.json().unwrap().get(), r#"{"text":"hi"}"#);
    assert_eq!((job.max_attempts, job.timeout.unwrap().as_millis()), (Some(2), 1500));
    assert!(matches!(job.audience, Audience::Session(_)));
    assert_eq!(client.ask("job:get", json!({ "id": id })).await["job"]["state"], "queued");

    worker.say(&job, EventType::Started, 0, None).await;
    worker.say(&job, EventType::Progress, 1, FakeWorker::data(json!({ "progress": 0.5 }))).await;
    worker.say(&job, EventType::Succeeded, 2, Some(job.payload.clone())).await;
    let end = client.job_event(&id, "succeeded").await;
    assert_eq!((&end["kind"], &end["attempt"], &end["data"]), (&json!("echo"), &json!(1), &json!({ "text": "hi" })));
    let last = client.types_of(&id).last().cloned();
    assert_eq!(last.as_deref(), Some("succeeded"));
    let found = client.ask("job:get", json!({ "id": id })).await;
    assert_eq!((&found["job"]["state"], &found["job"]["data"]), (&json!("succeeded"), &json!({ "text": "hi" })));
}

#[tokio::test]
async fn the_ack_comes_before_any_event_however_fast_the_worker_is() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--submits-per-second", "1000", "--max-unfinished-jobs", "1000"]).await;
    installation.worker().await.finish_all();
    let mut client = gateway.client().await;
    let mut sent = Vec::new();
    for _ in 0..200 {
        let id = JobId::new().to_string();
        let ack = client.send("job:submit", json!({ "id": id, "kind": "echo", "payload": 1 })).await;
        sent.push((id, ack));
    }
    for (id, ack) in sent {
        client.job_event(&id, "succeeded").await;
        let position = |is_it: &dyn Fn(&Heard) -> bool| client.heard.iter().position(is_it).unwrap();
        let acked = position(&|heard| matches!(heard, Heard::Ack { id, .. } if *id == ack));
        let told = position(&|heard| matches!(heard, Heard::Event { name, data, .. } if name == "job:event" && data["jobId"] == id));
        assert!(acked < told, "the job's events came before its ack");
    }
}

#[tokio::test]
async fn binary_travels_as_bytes_there_and_back() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let (part, lone) = ([0, 255, 1], [9, 8]);

    let submit = json!({ "kind": "echo", "payload": { "image": { "_placeholder": true, "num": 0 }, "widths": [64] } });
    let (ack, _) = client.ask_binary("job:submit", submit, &[&part]).await;
    let job = worker.job().await;
    assert!(matches!(&job.payload, Payload::Packed(bytes) if bytes.windows(3).any(|window| window == part)));
    worker.finish(&job).await;
    client.job_event(ack["id"].as_str().unwrap(), "succeeded").await;
    let Some(Heard::Event { data, attachments, .. }) = client.heard.last().cloned() else { panic!("an event") };
    assert_eq!((&data["data"]["widths"], &data["data"]["image"]["_placeholder"]), (&json!([64]), &json!(true)));
    assert_eq!(attachments, [part]);

    let submit = json!({ "kind": "echo", "payload": { "_placeholder": true, "num": 0 } });
    let (ack, _) = client.ask_binary("job:submit", submit, &[&lone]).await;
    let job = worker.job().await;
    assert_eq!(job.payload.content_type(), "application/octet-stream");
    worker.finish(&job).await;
    client.job_event(ack["id"].as_str().unwrap(), "succeeded").await;
    let (found, attachments) =
        client.ask_binary("job:get", json!({ "id": ack["id"], "x": { "_placeholder": true, "num": 0 } }), &[&[1]]).await;
    assert_eq!((&found["job"]["data"]["_placeholder"], attachments), (&json!(true), vec![lone.to_vec()]));
}

#[tokio::test]
async fn json_is_passed_on_to_the_letter() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let text = r#"{ "big": 123456789012345678901234567890, "same": 1.0 }"#;
    client.send_raw(&format!(r#"427["job:submit",{{"kind":"echo","payload":{text}}}]"#)).await;
    assert_eq!(client.ack(7).await["ok"], true);
    assert_eq!(worker.job().await.payload.body(), text);
}

#[tokio::test]
async fn the_same_id_is_the_same_job() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let submit = json!({ "id": JobId::new(), "kind": "echo", "payload": "once" });
    let (first, second) = (client.send("job:submit", submit.clone()).await, client.send("job:submit", submit.clone()).await);
    assert_eq!(client.ack(first).await, json!({ "ok": true, "id": submit["id"] }));
    assert_eq!(client.ack(second).await, json!({ "ok": true, "id": submit["id"], "duplicate": true }));

    let job = worker.job_of(submit["id"].as_str().unwrap()).await;
    worker.finish(&job).await;
    let id = submit["id"].as_str().unwrap();
    client.job_event(id, "succeeded").await;
    assert_eq!(client.ask("job:submit", submit.clone()).await["duplicate"], true);
    client.catch_up().await;
    assert_eq!(client.job_events(id).filter(|event| event["type"] == "succeeded").count(), 1);

    // Nothing was published twice: the next job is another one.
    let other = client.submit(json!("other")).await;
    worker.job_of(&other).await;
}

#[tokio::test]
async fn a_job_ends_once_whatever_workers_say() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let id = client.submit(json!(1)).await;
    let job = worker.job().await;
    for (event_type, step) in [(EventType::Succeeded, 5), (EventType::Failed, 6), (EventType::Progress, 7), (EventType::Succeeded, 5)] {
        worker.say(&job, event_type, step, None).await;
    }
    let other = client.submit(json!(2)).await;
    let job = worker.job().await;
    worker.finish(&job).await;
    client.job_event(&other, "succeeded").await;
    client.catch_up().await;
    assert_eq!(client.types_of(&id), ["succeeded"]);
}

#[tokio::test]
async fn a_submit_that_wants_no_answer_is_submitted_all_the_same() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    client.send_raw(r#"42["job:submit",{"kind":"echo","payload":"quiet"}]"#).await;
    let job = worker.job().await;
    worker.finish(&job).await;
    assert_eq!(client.job_event(&job.id.to_string(), "succeeded").await["data"], "quiet");
}

#[tokio::test]
async fn a_message_that_nobody_understands_disturbs_nobody() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    installation.worker().await.finish_all();
    let bus = installation.bus().await;
    bus.publish(&bus.names().events(), bus::Message::new([("type".to_owned(), "exploded".to_owned())].into(), "?")).await.unwrap();
    let mut client = gateway.client().await;
    let id = client.submit(json!("after")).await;
    client.job_event(&id, "succeeded").await;
    assert_eq!(gateway.figure("mayfly_gateway_malformed_events_total"), 1.0);
}

#[tokio::test]
async fn a_cancellation_reaches_the_workers_with_the_clients_audiences() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let bus = installation.bus().await;
    bus.ensure(bus::Topology::new(bus.names()).control()).await.unwrap();
    let control = bus.instance_subscription(&bus.names().control(), "test", bus::SeekBack(None)).await.unwrap();
    let mut heard = bus.consume(control.name(), bus::ConsumeOptions::default());
    let mut client = gateway.client().await;
    let session = client.welcome().await["session"]["id"].clone();
    let id = client.submit(json!(1)).await;
    assert_eq!(client.ask("job:cancel", json!({ "id": id })).await, json!({ "ok": true }));
    let delivery = tokio::time::timeout(crate::support::DEADLINE, heard.next()).await.unwrap().unwrap();
    let cancellation = shared::Cancellation::parse(&delivery.message.attributes, &delivery.message.body).unwrap();
    delivery.ack();
    assert_eq!(cancellation.job_id.to_string(), id);
    assert_eq!(
        cancellation.audiences.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [format!("session:{}", session.as_str().unwrap())]
    );
}
