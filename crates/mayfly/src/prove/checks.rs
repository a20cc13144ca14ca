use std::time::Duration;

use reqwest::{StatusCode, Url, header};
use serde_json::{Value, json};
use shared::JobId;
use tokio::time::{Instant, timeout};

use super::{
    sample::Sample,
    site::Site,
    socket::{Broken, Said, Socket, chain},
};

/// What was found, or what is wrong, in words for the one who typed the command.
pub(super) type Outcome = Result<String, String>;

/// How long an HTTP answer or a job may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// The page answers, under a certificate that is valid for its name.
pub(super) async fn page(site: &Site) -> Outcome {
    let began = Instant::now();
    let text = get(site, &site.at("/")).await?;
    if !text.contains("<title>") {
        return Err(format!("something answers, but not with a page: {:?}", text.chars().take(80).collect::<String>()));
    }
    let certificate = if site.is_secure() { ", the certificate is valid" } else { "" };
    Ok(format!("{} bytes in {} ms{certificate}", text.len(), began.elapsed().as_millis()))
}

/// Whoever comes without encryption is sent to where there is some.
pub(super) async fn redirect(site: &Site, insecure: &Url) -> Outcome {
    let answer = timeout(PATIENCE, site.http.get(insecure.clone()).send()).await;
    let answer = answer.map_err(|_| too_slow(insecure))?.map_err(|error| chain(&error))?;
    let location = answer.headers().get(header::LOCATION).and_then(|location| location.to_str().ok()).unwrap_or_default();
    if answer.status().is_redirection() && location.starts_with("https://") {
        return Ok(format!("{insecure} is answered {} to {location}", answer.status().as_u16()));
    }
    Err(format!("{insecure} is answered {} instead of a redirect to https", answer.status()))
}

/// The socket.io client is where pages look for it.
pub(super) async fn client(site: &Site) -> Outcome {
    let text = get(site, &site.at("/socket.io/socket.io.js")).await?;
    if text.trim_start().starts_with('<') {
        return Err("there is a page instead of socket.io.js".to_owned());
    }
    Ok(format!("socket.io.js has {} bytes", text.len()))
}

/// A websocket opens, does a job, stays open for `hold`, and does another one.
pub(super) async fn socket(site: &Site, sample: &Sample, hold: Duration) -> Vec<(&'static str, Outcome)> {
    let mut socket = match Socket::connect(site, None).await {
        Ok(socket) => socket,
        Err(broken) => return vec![("websocket", Err(broken.to_string()))],
    };
    let mut found = vec![("websocket", greeted(&socket.welcome)), ("job", job(&mut socket, sample).await)];
    if found.iter().all(|(_, outcome)| outcome.is_ok()) {
        found.push(("held", held(&mut socket, sample, hold).await));
    }
    found
}

fn greeted(welcome: &Value) -> Outcome {
    let said = format!("{} serves version {}, {}", welcome["hostname"], welcome["version"], welcome["status"]);
    if welcome["status"]["pubsub"] == "up" { Ok(said) } else { Err(format!("Pub/Sub is away: {said}")) }
}

async fn held(socket: &mut Socket, sample: &Sample, hold: Duration) -> Outcome {
    let began = Instant::now();
    loop {
        match socket.next(began + hold).await {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(broken) => return Err(format!("after {} s: {broken}", began.elapsed().as_secs())),
        }
    }
    let done = job(socket, sample).await?;
    Ok(format!("the same connection after {} s: {done}", hold.as_secs()))
}

/// Submits a job, and waits for its acceptance and its result.
async fn job(socket: &mut Socket, sample: &Sample) -> Outcome {
    let (began, id) = (Instant::now(), JobId::new());
    let asked = socket.ask("job:submit", &sample.submit(id, 0)).await.map_err(|broken| broken.to_string())?;
    let mut accepted_after = None;
    loop {
        let said = socket.next(began + PATIENCE).await.map_err(|broken: Broken| broken.to_string())?;
        match said {
            None if accepted_after.is_none() => return Err(format!("no answer within {} s", PATIENCE.as_secs())),
            None => return Err(format!("accepted, but no result within {} s", PATIENCE.as_secs())),
            Some(Said::Ack { number, data }) if number == asked => {
                if data["ok"] != true {
                    return Err(format!("refused: {}", data["error"]));
                }
                accepted_after = Some(began.elapsed());
            }
            Some(Said::Event { name, data }) if name == "job:event" && data["jobId"] == json!(id) => match data["type"].as_str() {
                Some("succeeded") if sample.is_right(id, &data) => {
                    let accepted = accepted_after.ok_or("it ended before it was accepted")?;
                    return Ok(format!("accepted after {} ms, done after {} ms", accepted.as_millis(), began.elapsed().as_millis()));
                }
                Some("succeeded" | "failed" | "cancelled") => return Err(format!("it ended in another way: {data}")),
                _ => {}
            },
            Some(_) => {}
        }
    }
}

async fn get(site: &Site, url: &Url) -> Result<String, String> {
    let read = async {
        let answer = site.http.get(url.clone()).send().await?;
        let status = answer.status();
        Ok((status, answer.text().await?))
    };
    match timeout(PATIENCE, read).await {
        Err(_) => Err(too_slow(url)),
        Ok(Err(error)) => Err(chain(&error as &reqwest::Error)),
        Ok(Ok((StatusCode::OK, text))) => Ok(text),
        Ok(Ok((status, _))) => Err(format!("{url} is answered {status}")),
    }
}

fn too_slow(url: &Url) -> String {
    format!("{url} did not answer within {} s", PATIENCE.as_secs())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use axum::{Router, response::Redirect, routing::get};

    use super::*;

    #[tokio::test]
    async fn only_a_redirect_to_encryption_will_do() {
        let (encrypted, elsewhere) = ("https://jobs.example.com/", "http://jobs.example.com/");
        let router = Router::new()
            .route("/well", get(async move || Redirect::permanent(encrypted)))
            .route("/badly", get(async move || Redirect::permanent(elsewhere)))
            .route("/open", get(async || "come in"));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let site = Site::new(format!("http://{}", listener.local_addr().unwrap()).parse().unwrap(), None, None).unwrap();
        tokio::spawn(async { axum::serve(listener, router).await });

        let well = redirect(&site, &site.at("/well")).await.unwrap();
        assert!(well.ends_with("/well is answered 308 to https://jobs.example.com/"), "{well}");
        for path in ["/badly", "/open"] {
            assert!(redirect(&site, &site.at(path)).await.unwrap_err().ends_with("instead of a redirect to https"));
        }
    }
}
