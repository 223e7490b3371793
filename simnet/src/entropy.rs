//! One seeded stream in place of the machine's randomness, for the thread a world runs on.
//!
//! Owns the pin; must not be linked into anything that ships. Three sources are replaced, and only on a
//! pinned thread; everywhere else they behave as ever:
//!
//! - the C library's `getrandom`, by a function of the same name: std's `RandomState`, and the crate
//!   `getrandom` from 0.3 on, hence quinn's connection ids and path challenges;
//! - the seed of aws-lc's generator, by the hook its own tests use: TLS keys, key exchange and randoms.
//!   (It would otherwise draw from the CPU's timing jitter and `rdrand`, which nothing can interpose.)
//!
//! The rest of the tree draws through one of the two.
#![cfg_attr(
    all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"),
    allow(unsafe_code, reason = "the only unsafe code in the tree: replaces two C functions for tests")
)]

/// Pins this thread to the stream of `seed`. It must not have asked for randomness before. Tells whether
/// every source was replaced.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
pub(crate) fn pin(_: u64) -> bool {
    false
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
pub(crate) use replaced::pin;

#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod replaced {
    use std::cell::Cell;
    use std::collections::hash_map::RandomState;
    use std::hash::BuildHasher;
    use std::sync::Once;

    use crate::fate::mix;

    // Named so that the linker keeps the library the hook below is in.
    use aws_lc_sys as _;

    thread_local! {
        // Without a destructor, so that it can be read while the thread ends.
        static PIN: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// See the other `pin`.
    pub(crate) fn pin(seed: u64) -> bool {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            // SAFETY: the table is a static of the layout of aws-lc-sys 0.47.0 (crypto/fipsmodule/rand/
            // entropy/internal.h), and its functions are callable from any thread for ever.
            unsafe { override_entropy_source_method(&PINNED_SOURCE) }
        });
        PIN.set(Some(seed));
        let stream = PIN.get();
        // std seeds its hashers from the same call, once per thread: if that did not advance the stream,
        // this executable does not export our function, and dlsym finds the C library's. (GNU ld and lld
        // export it unasked, because it stands in for one of a shared library.)
        RandomState::new().hash_one(0u8);
        PIN.get() != stream
    }

    /// The next 64 bits of this thread's stream (SplitMix64), if it is pinned.
    fn next() -> Option<u64> {
        let state = PIN.get()?.wrapping_add(0x9e37_79b9_7f4a_7c15);
        PIN.set(Some(state));
        Some(mix(state))
    }

    /// Fills from the pinned stream; `false` where there is none.
    fn fill_pinned(out: &mut [u8]) -> bool {
        for chunk in out.chunks_mut(8) {
            let Some(word) = next() else { return false };
            chunk.iter_mut().zip(word.to_le_bytes()).for_each(|(to, from)| *to = from);
        }
        true
    }

    /// Stands in for the C library's function of this name.
    ///
    /// # Safety
    /// As getrandom(2): `buffer` must be valid for writing `length` bytes.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn getrandom(
        buffer: *mut libc::c_void,
        length: libc::size_t,
        flags: libc::c_uint,
    ) -> libc::ssize_t {
        if PIN.get().is_some() {
            if length > 0 {
                // SAFETY: the caller's promise above; `u8` may be anything.
                fill_pinned(unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) });
            }
            return length.cast_signed();
        }
        // SAFETY: the system call itself, with the arguments we were given.
        unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) as libc::ssize_t }
    }

    /// Bytes of a seed of aws-lc's generator (`CTR_DRBG_ENTROPY_LEN`).
    const SEED: usize = 48;

    #[repr(C)]
    struct EntropySource {
        state: *mut libc::c_void,
        methods: *const EntropySourceMethods,
    }

    #[repr(C)]
    struct EntropySourceMethods {
        initialize: extern "C" fn(*mut EntropySource) -> libc::c_int,
        zeroize_thread: extern "C" fn(*mut EntropySource),
        free_thread: extern "C" fn(*mut EntropySource),
        get_seed: unsafe extern "C" fn(*const EntropySource, *mut u8) -> libc::c_int,
        get_extra_entropy: Option<unsafe extern "C" fn(*const EntropySource, *mut u8) -> libc::c_int>,
        get_prediction_resistance: Option<unsafe extern "C" fn(*const EntropySource, *mut u8) -> libc::c_int>,
        id: libc::c_int,
    }

    unsafe extern "C" {
        #[link_name = "aws_lc_0_47_0_override_entropy_source_method_FOR_TESTING"]
        fn override_entropy_source_method(methods: *const EntropySourceMethods);
    }

    static PINNED_SOURCE: EntropySourceMethods = EntropySourceMethods {
        initialize,
        zeroize_thread: nothing,
        free_thread: nothing,
        get_seed,
        get_extra_entropy: None,
        get_prediction_resistance: None,
        id: 0,
    };

    extern "C" fn initialize(_: *mut EntropySource) -> libc::c_int {
        1
    }

    extern "C" fn nothing(_: *mut EntropySource) {}

    /// Seeds the generator of one thread: from its pin, or from the operating system.
    ///
    /// # Safety
    /// `seed` must be valid for writing [`SEED`] bytes, as aws-lc's header promises.
    unsafe extern "C" fn get_seed(_: *const EntropySource, seed: *mut u8) -> libc::c_int {
        // SAFETY: the promise above; and `getrandom` has the same one.
        let written = unsafe { getrandom(seed.cast(), SEED, 0) };
        libc::c_int::from(written == SEED.cast_signed())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn on_a_thread(seed: Option<u64>) -> (bool, [u8; 32], u64) {
            let thread = std::thread::spawn(move || {
                let exact = seed.is_some_and(pin);
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes).unwrap();
                (exact, bytes, RandomState::new().hash_one(1u8))
            });
            thread.join().unwrap()
        }

        #[test]
        fn a_seed_decides_what_a_thread_draws() {
            let first = on_a_thread(Some(1));
            assert!(first.0, "linked without exporting getrandom");
            assert_eq!(first, on_a_thread(Some(1)));
            assert_ne!(first.1, on_a_thread(Some(2)).1);
        }

        #[test]
        fn other_threads_draw_from_the_machine() {
            let _pinned = on_a_thread(Some(1));
            assert_ne!(on_a_thread(None).1, on_a_thread(None).1);
        }
    }
}
