//! `Content`: what one side says in one turn.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serializer};

use crate::part::Part;
use crate::protojson::or_default;
use crate::shape::{Marks, Shape, Shaped, serialize_by_shape};
use crate::vocabulary::closed_enum;

/// Parts that are said together.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Who says it. Vertex AI wants it everywhere but in a system instruction.
    #[serde(default)]
    pub role: Option<Role>,
    /// What is said.
    #[serde(default, deserialize_with = "or_default")]
    pub parts: Vec<Part>,
}

closed_enum! {
    /// Who says something.
    Role {
        /// The one who asks.
        User = "user",
        /// The model that answers.
        Model = "model",
    }
}

impl Content {
    /// What the user says.
    pub const fn user(parts: Vec<Part>) -> Self {
        Self { role: Some(Role::User), parts }
    }

    /// What the model said.
    pub const fn model(parts: Vec<Part>) -> Self {
        Self { role: Some(Role::Model), parts }
    }

    /// A system instruction. Its role means nothing; Google's own SDKs write `user`.
    pub fn instruction(text: impl Into<String>) -> Self {
        Self { role: Some(Role::User), parts: vec![Part::text(text)] }
    }
}

impl Shape for Content {
    fn write<S: Serializer>(&self, to: S, marks: Option<&Marks>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("parts", &Shaped(self.parts.as_slice(), marks))?;
        if let Some(role) = self.role {
            map.serialize_entry("role", &role)?;
        }
        map.end()
    }
}

serialize_by_shape!(Content);
