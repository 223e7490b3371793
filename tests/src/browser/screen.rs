//! The screen, the language, the paper.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Browser, BrowserError, Pdf};

/// A screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Screen {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// Dots of the screen per CSS pixel.
    pub density: f64,
    /// A phone: touched, and scaled as phones do.
    pub phone: bool,
}

impl Screen {
    /// A PC.
    pub const DESK: Self = Self { width: 1280, height: 800, density: 1.0, phone: false };
    /// The same PC with the page enlarged to 200 %: half as much room, dots as fine as before (WCAG 2.2, 1.4.4).
    pub const ZOOMED: Self = Self { width: 640, height: 400, density: 2.0, phone: false };
    /// A small phone, upright.
    pub const PHONE: Self = Self { width: 360, height: 740, density: 2.0, phone: true };
}

impl Browser {
    /// Gives the page another screen.
    ///
    /// # Errors
    /// The browser refuses.
    pub fn resize(&self, screen: Screen) -> Result<(), BrowserError> {
        let Screen { width, height, density, phone } = screen;
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({
                "width": width, "height": height, "deviceScaleFactor": density, "mobile": phone,
                "screenWidth": width, "screenHeight": height,
            }),
        )?;
        self.devtools("Emulation.setTouchEmulationEnabled", &json!({ "enabled": phone })).map(drop)
    }

    /// By how many CSS pixels the page is wider than the screen: what must be scrolled sideways to be read.
    ///
    /// # Errors
    /// There is no page.
    pub fn overflow(&self) -> Result<i64, BrowserError> {
        let script = "const root = document.documentElement; return root.scrollWidth - root.clientWidth;";
        self.script(script, &[])?.as_i64().ok_or(BrowserError::Answer("a width"))
    }

    /// Asks for these languages from the next request on, as in `Accept-Language`.
    ///
    /// # Errors
    /// The browser refuses.
    pub fn speak(&self, languages: &str) -> Result<(), BrowserError> {
        let version = self.devtools("Browser.getVersion", &json!({}))?;
        // Chromium adds the weights itself.
        let plain: Vec<&str> =
            languages.split(',').filter_map(|language| language.split(';').next()).map(str::trim).collect();
        self.devtools(
            "Network.setUserAgentOverride",
            &json!({ "userAgent": version["userAgent"], "acceptLanguage": plain.join(",") }),
        )?;
        let first = plain.first().copied().unwrap_or("ja");
        self.devtools("Emulation.setLocaleOverride", &json!({ "locale": first })).map(drop)
    }

    /// What its user prefers, as CSS asks for it: `[("prefers-color-scheme", "dark")]`.
    ///
    /// # Errors
    /// The browser refuses.
    pub fn prefer(&self, features: &[(&str, &str)]) -> Result<(), BrowserError> {
        let features: Vec<Value> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features })).map(drop)
    }

    /// Prints the page on A4, upright, with what the page itself says of paper taken over.
    ///
    /// # Errors
    /// It cannot be printed.
    pub fn print(&self) -> Result<Pdf, BrowserError> {
        let a4 = json!({ "width": 21.0, "height": 29.7 });
        let printed = self.session.post("print", &json!({ "page": a4, "background": false }))?;
        Ok(Pdf::new(decoded(&printed)?))
    }

    /// Draws the whole page, however long it is, into a PNG file.
    ///
    /// # Errors
    /// It cannot be drawn, or the file not written.
    pub fn screenshot(&self, file: &Path) -> Result<(), BrowserError> {
        self.draw(file, f64::INFINITY)
    }

    /// The same, but no more than this many CSS pixels from its top.
    ///
    /// # Errors
    /// It cannot be drawn, or the file not written.
    pub fn screenshot_of_top(&self, file: &Path, height: u32) -> Result<(), BrowserError> {
        self.draw(file, f64::from(height))
    }

    fn draw(&self, file: &Path, height: f64) -> Result<(), BrowserError> {
        // Letters that are still to come would be missing.
        self.script_that_waits("document.fonts.ready.then(() => arguments[0]())", &[])?;
        let layout = self.devtools("Page.getLayoutMetrics", &json!({}))?;
        let mut clip = layout["cssContentSize"].clone();
        let whole = clip["height"].as_f64().ok_or(BrowserError::Answer("a height"))?;
        clip["height"] = json!(whole.min(height));
        clip["scale"] = json!(1);
        let picture = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let drawn = self.devtools("Page.captureScreenshot", &picture)?;
        std::fs::write(file, decoded(&drawn["data"])?)
            .map_err(|error| BrowserError::System("writing the screenshot", error))
    }
}

fn decoded(base64: &Value) -> Result<Vec<u8>, BrowserError> {
    let text = base64.as_str().ok_or(BrowserError::Answer("base64"))?;
    STANDARD.decode(text).map_err(|_| BrowserError::Answer("base64"))
}
