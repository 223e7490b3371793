//! Processes that end with this one, whatever ends it.
//!
//! They are started by one thread that lives as long as this process, through `setpriv --pdeathsig KILL`:
//! the kernel then ends them with us.

use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The program that ties what follows to us: add the program to run, and its arguments.
pub fn tied_to_us() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]);
    command
}

type Started = std::io::Result<Child>;
type Order = (Command, Sender<Started>);

/// Starts a child from the one thread that outlives every test: `--pdeathsig` counts the thread that started
/// the child as its parent.
///
/// # Errors
/// The program cannot be started.
pub fn spawn(command: Command) -> Started {
    static SPAWNER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, reply) in inbox {
                let _ = reply.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let (reply, started) = channel();
    let gone = || std::io::Error::other("the thread that starts children is gone");
    let sent = spawner.lock().unwrap_or_else(PoisonError::into_inner).send((command, reply));
    sent.map_err(|_| gone())?;
    started.recv().map_err(|_| gone())?
}
