//! Declares wire structures: `key => field: Type`, in ascending order of keys.

/// A map with small integer keys. `Option` fields are left out when `None`.
macro_rules! wire_struct {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* $key:literal => pub $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        pub struct $name { $($(#[$fmeta])* pub $field: $type),+ }

        impl $crate::cbor::Wire for $name {
            fn encode(&self, encoder: &mut $crate::cbor::Encoder) {
                const KEYS: &[u64] = &[$($key),+];
                const { $crate::cbor::assert_ascending(KEYS) };
                encoder.map([$($crate::cbor::Field::present(&self.$field)),+].iter().filter(|present| **present).count());
                $(if $crate::cbor::Field::present(&self.$field) {
                    encoder.uint($key);
                    $crate::cbor::Field::put(&self.$field, encoder);
                })+
            }

            fn decode(decoder: &mut $crate::cbor::Decoder<'_>) -> Result<Self, $crate::cbor::DecodeError> {
                $(let mut $field: Option<$type> = None;)+
                for _ in 0..decoder.map()? {
                    match decoder.uint()? {
                        $($key => $field = Some(<$type as $crate::cbor::Field>::take(decoder)?),)+
                        even if even % 2 == 0 => decoder.skip()?,
                        key => return Err($crate::cbor::DecodeError::UnknownKey { structure: stringify!($name), key }),
                    }
                }
                Ok(Self { $($field: match $field.or_else(<$type as $crate::cbor::Field>::absent) {
                    Some(value) => value,
                    None => return Err($crate::cbor::DecodeError::MissingKey { structure: stringify!($name), key: $key }),
                }),+ })
            }
        }

        impl $crate::cbor::Element for $name {}
    };
}

/// A closed enumeration: a small integer on the wire, a `snake_case` name in JSON and logs.
macro_rules! wire_code {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $code:literal => $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every value, in the order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable `snake_case` name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value with this name, if there is one.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl $crate::cbor::Wire for $name {
            fn encode(&self, encoder: &mut $crate::cbor::Encoder) {
                encoder.uint(match self { $(Self::$variant => $code),+ });
            }
            fn decode(decoder: &mut $crate::cbor::Decoder<'_>) -> Result<Self, $crate::cbor::DecodeError> {
                match decoder.uint()? {
                    $($code => Ok(Self::$variant),)+
                    _ => Err($crate::cbor::DecodeError::Value { expected: stringify!($name) }),
                }
            }
        }

        impl $crate::cbor::Element for $name {}
    };
}

/// One of several structures: an array of a code and the structure.
macro_rules! wire_union {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $code:literal => $variant:ident($type:ty)),+ $(,)? }) => {
        $(#[$meta])*
        pub enum $name { $($(#[$vmeta])* $variant($type)),+ }

        impl $name {
            /// The variant's name, for logs.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($variant)),+ }
            }
        }

        impl $crate::cbor::Wire for $name {
            fn encode(&self, encoder: &mut $crate::cbor::Encoder) {
                encoder.array(2);
                match self { $(Self::$variant(body) => {
                    encoder.uint($code);
                    $crate::cbor::Wire::encode(body, encoder);
                }),+ }
            }
            fn decode(decoder: &mut $crate::cbor::Decoder<'_>) -> Result<Self, $crate::cbor::DecodeError> {
                if decoder.array()? != 2 {
                    return Err($crate::cbor::DecodeError::Value { expected: stringify!($name) });
                }
                match decoder.uint()? {
                    $($code => <$type as $crate::cbor::Wire>::decode(decoder).map(Self::$variant),)+
                    _ => Err($crate::cbor::DecodeError::Value { expected: stringify!($name) }),
                }
            }
        }
        $(impl From<$type> for $name { fn from(body: $type) -> Self { Self::$variant(body) } })+
    };
}

/// A type that wraps one wire value and is encoded as that value.
macro_rules! wire_newtype {
    ($($name:ident),+ $(,)?) => {$(
        impl $crate::cbor::Wire for $name {
            fn encode(&self, encoder: &mut $crate::cbor::Encoder) {
                $crate::cbor::Wire::encode(&self.0, encoder);
            }
            fn decode(decoder: &mut $crate::cbor::Decoder<'_>) -> Result<Self, $crate::cbor::DecodeError> {
                $crate::cbor::Wire::decode(decoder).map(Self)
            }
        }
        impl $crate::cbor::Element for $name {}
    )+};
}

pub(crate) use {wire_code, wire_newtype, wire_struct, wire_union};
