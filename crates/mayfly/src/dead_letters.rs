use bus::{Bus, BusSettings};
use clap::Subcommand;
use service::{Process, StartError};
use worker_dead_letter::{Archive, DeadLetter};

/// What can be done about dead letters.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// Show the letters of the last seven days, oldest first
    List {
        /// One JSON object a line, bodies included, for other programs
        #[arg(long)]
        json: bool,
    },
    /// Send letters again to the topic that each came from; mend its worker first
    Replay {
        /// The message ids that `list` shows
        #[arg(value_name = "MESSAGE", required_unless_present = "all")]
        messages: Vec<String>,
        /// All of them
        #[arg(long, conflicts_with = "messages")]
        all: bool,
    },
}

pub(crate) async fn run(command: DeadLettersCommand, settings: &BusSettings, process: &Process) -> Result<(), StartError> {
    let bus = Bus::connect(settings, &process.metrics).await?;
    let archive = Archive::new(bus);
    match command {
        DeadLettersCommand::List { json } => list(&archive, json).await,
        DeadLettersCommand::Replay { messages, all } => replay(&archive, &messages, all).await,
    }
}

async fn list(archive: &Archive, json: bool) -> Result<(), StartError> {
    let letters = archive.list().await?;
    for letter in &letters {
        if json {
            println!("{}", serde_json::to_string(letter)?);
        } else {
            println!("{}", summary(letter));
        }
    }
    if letters.is_empty() {
        eprintln!("no dead letters");
    }
    Ok(())
}

async fn replay(archive: &Archive, messages: &[String], all: bool) -> Result<(), StartError> {
    let replayed = archive.replay(|letter| all || messages.contains(&letter.message_id)).await?;
    for letter in &replayed.sent {
        println!("sent again: {}", summary(letter));
    }
    for (letter, reason) in &replayed.kept {
        eprintln!("kept: {}: {reason}", summary(letter));
    }
    let known = |message: &String| {
        replayed.sent.iter().chain(replayed.kept.iter().map(|(letter, _)| letter)).any(|letter| letter.message_id == *message)
    };
    let unknown: Vec<_> = messages.iter().filter(|message| !known(message)).map(String::as_str).collect();
    match (unknown.is_empty(), replayed.kept.len()) {
        (false, _) => Err(StartError::plain(format!("no dead letter is called {}", unknown.join(", ")))),
        (true, 0) => Ok(()),
        (true, kept) => Err(StartError::plain(format!("{kept} dead letters could not be sent again"))),
    }
}

/// One line, most telling first; a letter may lack anything but its own id.
fn summary(letter: &DeadLetter) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    format!(
        "{}  {}  {}  job {}  {}  {}",
        letter.message_id,
        letter.put_aside_at.strftime("%Y-%m-%d %H:%M:%S"),
        or_dash(letter.kind.as_ref().map(ToString::to_string)),
        or_dash(letter.job_id.map(|id| id.to_string())),
        or_dash(letter.audience.as_ref().map(ToString::to_string)),
        letter.reason,
    )
}
