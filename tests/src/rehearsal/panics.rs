//! A task that panics dies unheard: here it is counted, for the thread it died on.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

thread_local! {
    static PANICS: Cell<u64> = const { Cell::new(0) };
}

/// From now on panics are counted, whatever else is done about them.
pub(super) fn count() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            before(info);
        }));
    });
}

/// How many there were on this thread.
pub(super) fn counted() -> u64 {
    PANICS.get()
}
