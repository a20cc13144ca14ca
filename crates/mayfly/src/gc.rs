use std::time::Duration;

use bus::{Bus, BusSettings};
use clap::Args;
use service::{Process, StartError};

/// What may be collected.
#[derive(Debug, Clone, Args)]
pub(crate) struct GcCommand {
    /// Say what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,

    /// After how many minutes of silence a process counts as gone; living ones speak up every PUBSUB_ALIVE_INTERVAL_S
    #[arg(long, env = "GC_IDLE_MINUTES", value_name = "MINUTES", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    idle_minutes: u32,
}

/// Deletes what processes that are gone had for themselves. Doing so twice, or twice at a time, is fine.
pub(crate) async fn run(command: GcCommand, settings: &BusSettings, process: &Process) -> Result<(), StartError> {
    let bus = Bus::connect(settings, &process.metrics).await?;
    let abandoned = bus.abandoned(Duration::from_mins(command.idle_minutes.into())).await?;
    let done = if command.dry_run { "would delete" } else { "deleted" };
    for one in &abandoned {
        if !command.dry_run {
            bus.delete_abandoned(one).await?;
        }
        println!("{done} {}, silent since {}", one.name, one.last_alive.strftime("%Y-%m-%d %H:%M UTC"));
    }
    println!("{done} {} subscriptions whose process has been silent for {} minutes", abandoned.len(), command.idle_minutes);
    Ok(())
}
