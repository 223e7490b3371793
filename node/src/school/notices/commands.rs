//! The commands `school notice send`, `attach`, `list` and `withdraw`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Audience, Notice, Notices, SendError};
use crate::admin::{AdminError, Request, Router};

/// Name of the command that sends.
pub const SEND: &str = "school notice send";
/// Name of the command that adds a file.
pub const ATTACH: &str = "school notice attach";
/// Name of the command that lists.
pub const LIST: &str = "school notice list";
/// Name of the command that withdraws.
pub const WITHDRAW: &str = "school notice withdraw";

/// Bytes of a file, at most; the true limit is told with a reason.
const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Arguments of `school notice send`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// `all`, `class` or `pupil`.
    pub to_kind: String,
    /// The class, or the pupil's number.
    pub to: Option<String>,
    /// The title.
    pub title: String,
    /// The text.
    pub text: String,
    /// Whether it is urgent.
    #[serde(default)]
    pub urgent: bool,
}

/// Arguments of `school notice attach`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attach {
    /// The notice.
    pub id: String,
    /// The file's name.
    pub name: String,
}

/// A notice by its name.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The notice.
    pub id: String,
}

/// Registers the commands.
pub fn register(router: &mut Router, notices: &Arc<Notices>) {
    let it = Arc::clone(notices);
    router.add(SEND, move |request, _| send(Arc::clone(&it), request));
    let it = Arc::clone(notices);
    router.add(ATTACH, move |request, _| attach(Arc::clone(&it), request));
    let it = Arc::clone(notices);
    router.add(LIST, move |request, _| list(Arc::clone(&it), request));
    let it = Arc::clone(notices);
    router.add(WITHDRAW, move |request, _| withdraw(Arc::clone(&it), request));
}

impl From<SendError> for AdminError {
    fn from(error: SendError) -> Self {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((what, next)) => Self::new(what).next(next),
            None => Self::new(text),
        }
    }
}

async fn send(notices: Arc<Notices>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Send { to_kind, to, title, text, urgent } = request.parse()?;
    let to = to.unwrap_or_default().trim().to_owned();
    let audience = match to_kind.as_str() {
        "all" => Audience::All,
        "class" => Audience::Class(to),
        "pupil" => Audience::Pupil(to),
        _ => {
            return Err(AdminError::new("to whom? / 宛先が分かりません")
                .at("argument to_kind")
                .next("say all, class or pupil"));
        }
    };
    let title = super::super::titled(&title, "title")?;
    let text = super::super::written(&text, "text")?;
    let id = notices.send(audience, &title, &text, urgent, &staff).await?;
    Ok(json!({ "id": id }))
}

async fn attach(notices: Arc<Notices>, mut request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Attach { id, name } = request.parse()?;
    let name = super::super::titled(&name, "name")?;
    let bytes = request.body.collect(FILE_BYTES_MAX).await.map_err(|_| SendError::File)?;
    notices.attach(&id, &name, &bytes, &staff).await?;
    Ok(json!({ "id": id, "name": name }))
}

async fn list(notices: Arc<Notices>, request: Request) -> Result<Value, AdminError> {
    notices.means.log_look(&request.looker(), LIST).await.map_err(SendError::from)?;
    let line = |(id, notice): (String, Notice)| {
        let files: Vec<&str> = notice.files.iter().map(|file| file.name.as_str()).collect();
        json!({ "id": id, "audience": notice.audience, "title": notice.title, "urgent": notice.urgent,
            "files": files, "by": notice.by, "sent": notice.sent, "withdrawn": notice.withdrawn })
    };
    let shown: Vec<Value> = notices.list()?.into_iter().map(line).collect();
    Ok(json!({ "notices": shown }))
}

async fn withdraw(notices: Arc<Notices>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Which { id } = request.parse()?;
    notices.withdraw(&id, &staff).await?;
    Ok(json!({ "withdrawn": id }))
}
