//! `login`: a session, and whom the card may act for; with `--stay`, until the card is taken away.

use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::{Common, Format, out, out_json, say};
use crate::card::Card;
use crate::config::Config;
use crate::connection::Connection;
use crate::federation::Federation;
use crate::json::SubjectJson;
use crate::session::{Ended, Session};
use crate::trouble::Trouble;
use crate::{clock, print, words};

#[derive(Debug, Args)]
pub(super) struct LoginArgs {
    #[command(flatten)]
    common: Common,
    /// Keep the session open until the card is taken away, ten minutes are over, or Ctrl-C.
    #[arg(long)]
    stay: bool,
    /// Also tell how long each part of the login took.
    #[arg(long)]
    timing: bool,
}

/// Where the time of a login went, the person's own apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Finding the card and reading what it shows without a PIN.
    reading: Duration,
    /// Reaching the gateway.
    connecting: Duration,
    /// The card's check of the PIN and its signature.
    proving: Duration,
    /// Challenge, keys, the registry's attestation, and leaving the session's ends.
    admitting: Duration,
}

impl Times {
    /// The parts by name, in milliseconds.
    fn parts(&self) -> [(&'static str, &'static str, f64); 4] {
        let millis = |duration: Duration| (duration.as_secs_f64() * 10_000.0).round() / 10.0;
        [
            ("カードを読む", "card_reading_ms", millis(self.reading)),
            ("市の窓口サーバーへの接続", "connecting_ms", millis(self.connecting)),
            ("暗証番号の確認と署名", "card_signing_ms", millis(self.proving)),
            ("登録簿の確認", "admission_ms", millis(self.admitting)),
        ]
    }
}

/// A session, the card it lives by, and the federation it is in.
pub(super) struct Open {
    pub(super) session: Session,
    pub(super) card: Box<dyn Card>,
    pub(super) federation: Federation,
    times: Times,
}

pub(super) async fn run(args: LoginArgs) -> Result<(), Trouble> {
    let open = open(&args.common).await?;
    let Open { session, card, times, .. } = &open;
    match args.common.format {
        Format::Human => {
            out(&format!("閲覧できる方 / This card may act for:\n{}", print::subjects(session.subjects())));
        }
        Format::Json => {
            let subjects: Vec<SubjectJson<'_>> = session.subjects().iter().map(Into::into).collect();
            let mut answer = serde_json::json!({ "simulated": session.simulated(), "subjects": subjects });
            if args.timing {
                answer["timing"] = times.parts().iter().map(|(_, name, ms)| (*name, *ms)).collect();
            }
            out_json(&answer);
        }
    }
    if args.timing && args.common.format == Format::Human {
        for (ja, name, ms) in times.parts() {
            out(&format!("  {ms:>7.1} ms  {ja} / {name}"));
        }
    }
    let ended = if args.stay {
        if args.common.format == Format::Human {
            say(&words::staying());
        }
        stay(session, card.as_ref()).await?
    } else {
        Ended::Asked
    };
    let closed = match ended {
        // Nobody is left to be told, or nothing is left to be ended.
        Ended::GatewayLost | Ended::Expired => None,
        Ended::Asked if !args.stay => Some(open.session.close().await?),
        // Why it ended is the news; a gateway that cannot be told notices by itself.
        Ended::CardRemoved | Ended::Asked | Ended::Idle => open.session.close().await.ok(),
    };
    if args.stay {
        match args.common.format {
            Format::Human => say(&words::ended(ended, closed)),
            Format::Json => out_json(&serde_json::json!({
                "ended": ended.as_str(),
                "confirmed": closed.map(|closed| closed.confirmed),
                "outstanding": closed.map(|closed| closed.outstanding),
            })),
        }
    }
    Ok(())
}

async fn stay(session: &Session, card: &dyn Card) -> Result<Ended, Trouble> {
    let machine = |error: std::io::Error| Trouble::Machine(error.to_string());
    let mut interrupted = signal(SignalKind::interrupt()).map_err(machine)?;
    let mut terminated = signal(SignalKind::terminate()).map_err(machine)?;
    let left = Duration::from_millis(session.not_after().since(clock::now()));
    Ok(tokio::select! {
        biased;
        () = card.removed() => Ended::CardRemoved,
        _ = session.connection().link().closed() => Ended::GatewayLost,
        _ = interrupted.recv() => Ended::Asked,
        _ = terminated.recv() => Ended::Asked,
        () = tokio::time::sleep(left) => Ended::Expired,
    })
}

/// Card, gateway, PIN, session, in the order in which a person is least kept waiting for a refusal.
pub(super) async fn open(common: &Common) -> Result<Open, Trouble> {
    let config = Config::load(&common.config)?;
    let mut federation = Federation::load(&config.root, &config.trust_list)?;
    let began = Instant::now();
    let (mut card, seen) = common.touch.card().await?;
    let reading = began.elapsed();
    if seen.shared {
        say(&words::shared());
    }
    let (began, now) = (Instant::now(), clock::now());
    let connection =
        Connection::open(&mut federation, &config.gateway, config.gateway_address.as_deref(), now).await?;
    let connecting = began.elapsed();
    let pin = common.touch.pin(&seen)?;
    let (removed, began) = (card.removed(), Instant::now());
    let session = tokio::select! {
        biased;
        opened = Session::open(connection, &federation, card.as_mut(), &pin, clock::now()) => opened?,
        () = removed => return Err(crate::card::CardFault::Removed.into()),
    };
    let proving = session.proving();
    let admitting = began.elapsed().saturating_sub(proving);
    if common.format == Format::Human {
        say(&words::pin_accepted(session.tries_left()));
    }
    if session.subjects().is_empty() {
        return Err(Trouble::Nobody);
    }
    let times = Times { reading, connecting, proving, admitting };
    Ok(Open { session, card, federation, times })
}
