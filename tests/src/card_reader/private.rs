//! The private pcscd: found, started, and ended with whoever has it.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Unavailable, ports};
use crate::skip::skipped;
use crate::{child, clock};

/// Slots of a reader: as many as one copy of the driver has.
pub const SLOTS: usize = 2;

/// The reader's name in its configuration; pcscd adds the reader's and the slot's number.
const NAME: &str = "Hibiki Virtual Reader";
/// Where the driver is, below the root or below where its package was unpacked.
const DRIVER: &str = "usr/lib/pcsc/drivers/serial/libifdvpcd.so";
/// How long pcscd may take to have its reader.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often other ports are tried.
const ATTEMPTS: usize = 5;
/// Bytes of a Unix socket's path at most (sun_path less its end).
const SOCKET_PATH_MAX: usize = 107;

/// Started with its listening socket as file 3, by the protocol of systemd's socket activation: the only way to
/// give pcscd another socket than the system's.
const LAUNCH: &str = "exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$@\"";

/// A card reader with [`SLOTS`] slots, and its pcscd. Dropping it ends it.
pub struct PrivateReader {
    child: Child,
    socket: PathBuf,
    port: u16,
    log: PathBuf,
}

/// Where a pcscd's files lie.
struct Place {
    pcscd: PathBuf,
    config: PathBuf,
    socket: PathBuf,
    log: PathBuf,
}

impl Place {
    fn prepare(folder: &Path) -> Result<Self, Unavailable> {
        let pcscd = find_pcscd()?;
        let config = folder.join("reader.conf.d");
        fs::create_dir_all(&config).map_err(|e| failed("making its folder", &e))?;
        let socket = folder.join("pcscd.sock");
        if socket.as_os_str().len() > SOCKET_PATH_MAX {
            return Err(Unavailable::Failed(format!("{} is too long for a socket", socket.display())));
        }
        Ok(Self { pcscd, config, socket, log: folder.join("pcscd.log") })
    }

    fn launch(&self, port: u16) -> Result<PrivateReader, Unavailable> {
        let child = launch(&self.pcscd, &self.config, &self.socket, &self.log)
            .map_err(|e| failed("starting pcscd", &e))?;
        Ok(PrivateReader { child, socket: self.socket.clone(), port, log: self.log.clone() })
    }
}

fn failed(what: &str, error: &std::io::Error) -> Unavailable {
    Unavailable::Failed(format!("{what}: {error}"))
}

impl PrivateReader {
    /// Starts a reader whose files lie in `folder`, which is made if need be. Several may run beside each other,
    /// each in its own folder.
    ///
    /// # Errors
    /// pcscd or the driver is missing, or does not start.
    pub fn start(folder: &Path) -> Result<Self, Unavailable> {
        let driver = find_driver()?;
        let place = Place::prepare(folder)?;
        for _ in 0..ATTEMPTS {
            let port = ports::free_pair()
                .ok_or_else(|| Unavailable::Failed("no two TCP ports in a row are free".into()))?;
            fs::write(place.config.join("hibiki"), configuration(&driver, port))
                .map_err(|e| failed("writing its configuration", &e))?;
            let mut reader = place.launch(port)?;
            if reader.await_slots() {
                return Ok(reader);
            }
        }
        let said = fs::read_to_string(&place.log).unwrap_or_default();
        Err(Unavailable::Failed(format!("pcscd has no reader after {ATTEMPTS} attempts; it said:\n{said}")))
    }

    /// Starts a reader for a test; `None`, said aloud, where something is not installed.
    ///
    /// # Panics
    /// Everything is installed and it does not start: that is no reason to skip a test.
    #[expect(clippy::panic, reason = "the test fails")]
    pub fn start_or_skip(test: &str, folder: &Path) -> Option<Self> {
        match Self::start(folder) {
            Ok(reader) => Some(reader),
            Err(missing @ Unavailable::Missing(_)) => {
                skipped(test, &missing.to_string());
                None
            }
            Err(failed) => panic!("{failed}"),
        }
    }

    /// Starts a pcscd to which no reader is connected.
    ///
    /// # Errors
    /// pcscd is missing, or does not start.
    pub fn start_unplugged(folder: &Path) -> Result<Self, Unavailable> {
        Place::prepare(folder)?.launch(0)
    }

    /// Where clients find it: the value of [`super::SOCKET_VARIABLE`].
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// A program that will find this reader and no other.
    pub fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env(super::SOCKET_VARIABLE, &self.socket);
        command
    }

    /// The TCP port of a slot, from 0, on 127.0.0.1.
    pub fn port(&self, slot: usize) -> u16 {
        self.port + u16::try_from(slot.min(SLOTS - 1)).unwrap_or_default()
    }

    /// The name of a slot's reader as PC/SC has it. The order of readers in a list means nothing.
    pub fn reader_name(&self, slot: usize) -> String {
        format!("{NAME} 00 {:02}", slot.min(SLOTS - 1))
    }

    /// What pcscd said.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// Ends pcscd at once, as a crash would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until both slots listen: clients are served only after that. `false` if it ended or took too long.
    fn await_slots(&mut self) -> bool {
        let mut ended = false;
        let up = clock::wait_until(PATIENCE, || {
            ended = !matches!(self.child.try_wait(), Ok(None));
            let id = self.child.id();
            ended || (0..SLOTS).all(|slot| ports::listens(id, self.port(slot)))
        });
        up && !ended
    }
}

impl Drop for PrivateReader {
    fn drop(&mut self) {
        self.kill();
    }
}

fn configuration(driver: &Path, port: u16) -> String {
    let driver = driver.display();
    format!(
        "FRIENDLYNAME \"{NAME}\"\nDEVICENAME /dev/null:0x{port:04X}\nLIBPATH {driver}\nCHANNELID 0x{port:04X}\n"
    )
}

fn launch(pcscd: &Path, config: &Path, socket: &Path, log: &Path) -> std::io::Result<Child> {
    match fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(socket)?;
    // Clients may run as another user, as with the system's own.
    fs::set_permissions(socket, fs::Permissions::from_mode(0o666))?;
    let log = File::create(log)?;
    let mut command = child::tied_to_us();
    command
        .args(["sh", "-c", LAUNCH, "sh"])
        .arg(pcscd)
        .args(["--foreground", "--critical", "--config"])
        .arg(config);
    if knows_polkit(pcscd) {
        command.arg("--disable-polkit");
    }
    command.stdin(Stdio::from(OwnedFd::from(listener))).stdout(log.try_clone()?).stderr(log);
    child::spawn(command)
}

/// pcscd 2 asks polkit, which is not there in a container; version 1.9 does not know the option.
fn knows_polkit(pcscd: &Path) -> bool {
    let help = Command::new(pcscd).arg("--help").stdin(Stdio::null()).output();
    help.is_ok_and(|help| {
        [help.stdout, help.stderr]
            .iter()
            .any(|said| String::from_utf8_lossy(said).contains("--disable-polkit"))
    })
}

fn find_pcscd() -> Result<PathBuf, Unavailable> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join("pcscd")).find(|program| program.is_file());
    found.ok_or(Unavailable::Missing("pcscd"))
}

/// The installed driver, or the one .ci/setup unpacked beside the programs.
fn find_driver() -> Result<PathBuf, Unavailable> {
    let me = std::env::current_exe().unwrap_or_default();
    let unpacked = me.ancestors().skip(1).map(|folder| folder.join("vpcd").join(DRIVER));
    let found = [Path::new("/").join(DRIVER)].into_iter().chain(unpacked).find(|driver| driver.exists());
    found.ok_or(Unavailable::Missing("vsmartcard's virtual reader (libifdvpcd.so)"))
}
