//! `Debug` of what is personal: three asterisks.

/// Gives each type a `Debug` that prints its name and `***`.
macro_rules! redacted {
    ($($name:ident),+ $(,)?) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        })+
    };
}
pub(crate) use redacted;
