//! How closed and open vocabularies are made: closed ones for requests, open ones for answers.

/// An enum whose every value the API documents; other names are refused when it is read.
macro_rules! closed_enum {
    ($(#[$about:meta])* $name:ident {
        $($(#[doc = $extra:literal])* $variant:ident = $wire:literal,)+
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $(#[doc = concat!("`", $wire, "`.")] $(#[doc = $extra])* $variant,)+
        }

        impl $name {
            /// All values.
            pub const ALL: [Self; [$($wire),+].len()] = [$(Self::$variant),+];

            /// The name as the API spells it.
            pub const fn wire_name(self) -> &'static str {
                match self { $(Self::$variant => $wire),+ }
            }

            /// The value of that name; `None` for any other name.
            pub fn from_wire_name(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|value| value.wire_name() == name)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.wire_name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                const NAMES: &[&str] = &[$($wire),+];
                let name = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::from_wire_name(&name)
                    .ok_or_else(|| serde::de::Error::unknown_variant(&name, NAMES))
            }
        }
    };
}

/// An enum that keeps names it does not know, since the API's lists grow.
macro_rules! open_enum {
    ($(#[$about:meta])* $name:ident {
        $($(#[doc = $extra:literal])* $variant:ident = $wire:literal,)+
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $(#[doc = concat!("`", $wire, "`.")] $(#[doc = $extra])* $variant,)+
            /// Any other name, as it came.
            Other(String),
        }

        impl $name {
            /// The name as the API spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)+
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                match name {
                    $($wire => Self::$variant,)+
                    _ => Self::Other(name.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer)
                    .map(|name| Self::from(name.as_str()))
            }
        }
    };
}

pub(crate) use {closed_enum, open_enum};
