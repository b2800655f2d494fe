//! Encryption: whether the document opens, and object streams in clear.
//!
//! Dictionaries, numbers and names are never encrypted, so that the page tree of most encrypted
//! documents can be read as it is. Only object streams need the key. Password checks and ciphers
//! (RC4, AES-128, AES-256; revisions 2 to 6; user and owner passwords) are [`lopdf`]'s.

use lopdf::encryption::{DecryptionError, EncryptionState, decrypt_object};
use lopdf::{Dictionary as LopdfDictionary, Document, Object, StringFormat};
use mediaprep_media::Error;

use crate::failure::{FORMAT, Failure};
use crate::syntax::{Dictionary, Value};

/// Deepest nesting of the encryption dictionary, which needs three.
const MAX_DEPTH: usize = 4;

/// The key of an opened document.
#[derive(Clone)]
pub(crate) struct Crypt {
    state: EncryptionState,
    /// Whether a password was needed.
    pub(crate) locked: bool,
}

impl Crypt {
    /// Opens a document with its encryption dictionary, the first part of its identifier and
    /// perhaps a password. The empty password is tried too, since it opens most documents.
    pub(crate) fn open(
        dictionary: &Dictionary,
        id: Vec<u8>,
        password: Option<&[u8]>,
    ) -> Result<Self, Failure> {
        if !dictionary.get(["Filter"])[0].is_name(b"Standard") {
            let what = "a PDF encrypted by other means than a password";
            return Err(Failure::Fatal(Error::Unsupported(what)));
        }
        let document = carrier(dictionary, id);
        let mut candidates: Vec<Vec<u8>> = Vec::new();
        for password in [Some(&b""[..]), password].into_iter().flatten() {
            candidates.extend(prepared(&document, password));
            candidates.push(password.to_vec());
        }
        candidates.dedup();
        let mut refusal = None;
        for candidate in candidates {
            // The user's password first: a check costs milliseconds in revision 6.
            let opened = document
                .authenticate_raw_user_password(&candidate)
                .or_else(|_| document.authenticate_raw_owner_password(&candidate))
                .and_then(|()| EncryptionState::decode(&document, &candidate));
            match opened {
                Ok(state) => return Ok(Self { state, locked: !candidate.is_empty() }),
                Err(error) => refusal = Some(error),
            }
        }
        Err(refused(refusal))
    }

    /// The data of object stream `number` in clear; `None` when they are damaged.
    pub(crate) fn decrypt(&self, number: u32, raw: Vec<u8>) -> Option<Vec<u8>> {
        let mut stream = Object::Stream(lopdf::Stream::new(LopdfDictionary::new(), raw));
        decrypt_object(&self.state, (number, 0), &mut stream).ok()?;
        if let Object::Stream(stream) = stream { Some(stream.content) } else { None }
    }

    /// Puts an object's strings and data in clear, as far as they are whole; says whether all are.
    pub(crate) fn clear(&self, id: (u32, u16), object: &mut Object) -> bool {
        decrypt_object(&self.state, id, object).is_ok()
    }
}

/// The password as the document's revision wants it spelt, if it is text.
fn prepared(document: &Document, password: &[u8]) -> Option<Vec<u8>> {
    let algorithm = lopdf::encryption::PasswordAlgorithm::try_from(document).ok()?;
    algorithm.sanitize_password(std::str::from_utf8(password).ok()?).ok()
}

fn refused(error: Option<lopdf::Error>) -> Failure {
    match error {
        Some(lopdf::Error::Decryption(DecryptionError::IncorrectPassword)) => {
            Failure::Fatal(Error::Encrypted { format: FORMAT })
        }
        Some(lopdf::Error::Decryption(
            DecryptionError::UnsupportedVersion | DecryptionError::UnsupportedRevision,
        )) => Failure::Fatal(Error::Unsupported("the PDF's kind of encryption")),
        _ => Failure::damaged(0, "the encryption dictionary is malformed"),
    }
}

/// A document that holds nothing but the encryption dictionary.
fn carrier(dictionary: &Dictionary, id: Vec<u8>) -> Document {
    let mut document = Document::new();
    let encrypt = convert(&Value::Dictionary(dictionary.clone()), 0);
    document.objects.insert((1, 0), encrypt);
    document.trailer.set("Encrypt", Object::Reference((1, 0)));
    let id = Object::String(id, StringFormat::Hexadecimal);
    document.trailer.set("ID", Object::Array(vec![id]));
    document
}

#[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
fn convert(value: &Value, depth: usize) -> Object {
    match value {
        Value::Dictionary(dictionary) if depth < MAX_DEPTH => {
            let entries = dictionary.entries();
            let entries = entries.into_iter().map(|(key, value)| (key, convert(&value, depth + 1)));
            Object::Dictionary(entries.collect())
        }
        Value::Number(number) => Object::Integer(*number as i64),
        Value::Name(name) => Object::Name(name.clone()),
        Value::Text(text) => Object::String(text.clone(), StringFormat::Hexadecimal),
        Value::Boolean(flag) => Object::Boolean(*flag),
        _ => Object::Null,
    }
}
