//! What a person does: clicks, taps, types.

use serde_json::{Value, json};

use super::{Browser, BrowserError, By, Key};

impl Browser {
    /// Waits for something and clicks it with the mouse.
    ///
    /// # Errors
    /// It is not there in time, or cannot be clicked.
    pub fn click(&self, by: By<'_>) -> Result<(), BrowserError> {
        self.wait_for(by)?;
        self.wait_until(&format!("{by} can be clicked"), super::PATIENCE, |browser| {
            browser.find(by)?.click().map(|()| true)
        })
    }

    /// Waits for something and taps it with a finger.
    ///
    /// # Errors
    /// It is not there in time.
    pub fn tap(&self, by: By<'_>) -> Result<(), BrowserError> {
        let element = self.wait_for(by)?.argument();
        let script = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
        self.script(script, std::slice::from_ref(&element))?;
        self.actions(&json!([{
            "type": "pointer", "id": "finger", "parameters": { "pointerType": "touch" },
            "actions": [
                { "type": "pointerMove", "duration": 0, "origin": element, "x": 0, "y": 0 },
                { "type": "pointerDown", "button": 0 },
                { "type": "pointerUp", "button": 0 },
            ],
        }]))
    }

    /// Presses a key, whatever has the focus.
    ///
    /// # Errors
    /// There is no page.
    pub fn press(&self, key: Key) -> Result<(), BrowserError> {
        self.chord(&[key])
    }

    /// Presses keys together: all down in this order, all up in the other.
    ///
    /// # Errors
    /// There is no page.
    pub fn chord(&self, keys: &[Key]) -> Result<(), BrowserError> {
        let down = keys.iter().map(|key| stroke("keyDown", key.code()));
        let up = keys.iter().rev().map(|key| stroke("keyUp", key.code()));
        self.strokes(&down.chain(up).collect::<Vec<_>>())
    }

    /// Types letters and digits, whatever has the focus.
    ///
    /// # Errors
    /// There is no page.
    pub fn type_text(&self, text: &str) -> Result<(), BrowserError> {
        let both = |letter| [stroke("keyDown", letter), stroke("keyUp", letter)];
        self.strokes(&text.chars().flat_map(both).collect::<Vec<_>>())
    }

    fn strokes(&self, strokes: &[Value]) -> Result<(), BrowserError> {
        self.actions(&json!([{ "type": "key", "id": "keyboard", "actions": strokes }]))
    }

    fn actions(&self, actions: &Value) -> Result<(), BrowserError> {
        self.session.post("actions", &json!({ "actions": actions })).map(drop)
    }
}

fn stroke(kind: &str, letter: char) -> Value {
    json!({ "type": kind, "value": letter })
}
