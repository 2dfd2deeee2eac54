//! Documents that were read before: remembered, so that a known one is neither parsed nor validated; asked for by their
//! hash (automatic persisted queries); or the only ones that are run (trusted documents).

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use async_graphql::ServerError;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Api, Document};
use crate::graphql::code::{Code, coded};

/// The most that remembered documents take in memory.
const MAX_REMEMBERED_BYTES: u64 = 16 * 1024 * 1024;
/// What the memory itself takes for each.
const OVERHEAD_BYTES: u64 = 256;
/// What a small document takes, of which as many are expected as there is room for.
const SMALL_BYTES: u64 = 4 * 1024;

type Hash = [u8; 32];

/// A document, or what stands for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its text.
    pub query: Option<String>,
    /// The id of a trusted document.
    pub id: Option<String>,
    /// The SHA-256 of its text, in hexadecimal digits.
    pub hash: Option<String>,
}

/// The documents that are known.
pub struct Documents {
    remembered: Cache<Hash, Arc<Document>, ByWeight>,
    trusted: Option<HashMap<String, Trusted>>,
}

/// A trusted document, with the hash of its text.
struct Trusted {
    hash: Hash,
    document: Arc<Document>,
}

#[derive(Clone)]
struct ByWeight;

impl Weighter<Hash, Arc<Document>> for ByWeight {
    fn weight(&self, _: &Hash, document: &Arc<Document>) -> u64 {
        document.bytes() as u64 + OVERHEAD_BYTES
    }
}

/// A file of trusted documents that cannot be used.
#[derive(Debug)]
pub struct UntrustedFile(pub String);

impl Default for Documents {
    fn default() -> Self {
        let items = usize::try_from(MAX_REMEMBERED_BYTES / SMALL_BYTES).unwrap_or(usize::MAX);
        Self { remembered: Cache::with_weighter(items, MAX_REMEMBERED_BYTES, ByWeight), trusted: None }
    }
}

impl Documents {
    /// Only the documents of a file or folder: `{id: document}`, Apollo's manifest of operations, or `.graphql` files
    /// named by the SHA-256 of their text.
    ///
    /// # Errors
    /// Where the file cannot be read, has another form, or holds a document that is none.
    pub fn trusted(api: &Api, path: &Path) -> Result<Self, UntrustedFile> {
        let wrong = |what: String| UntrustedFile(what);
        let texts = if path.is_dir() { folder(path) } else { file(path) }.map_err(wrong)?;
        if texts.is_empty() {
            return Err(wrong("holds no document".into()));
        }
        let mut trusted = HashMap::new();
        for (id, text) in texts {
            let document = api.read(&text).and_then(Document::sound);
            let document = document.map_err(|error| wrong(format!("document '{id}': {}", error.message)))?;
            let hash = hash_of(&text);
            if trusted.get(&id).is_some_and(|other: &Trusted| other.hash != hash) {
                return Err(wrong(format!("document '{id}' is there twice, with different texts")));
            }
            trusted.insert(id, Trusted { hash, document: Arc::new(document) });
        }
        Ok(Self { trusted: Some(trusted), ..Self::default() })
    }

    /// The document that is asked for.
    ///
    /// # Errors
    /// `PERSISTED_QUERY_NOT_FOUND`, `DOCUMENT_NOT_TRUSTED`; `BAD_REQUEST` for a hash that is not the text's; what
    /// [`Api::read`] finds.
    pub fn find(&self, api: &Api, asked: &Asked) -> Result<Arc<Document>, ServerError> {
        if let Some(trusted) = &self.trusted {
            return find_trusted(trusted, asked);
        }
        if asked.id.is_some() {
            let message = "This server has no trusted documents; send the document's text as 'query'.";
            return Err(coded(Code::DocumentNotTrusted, message, None));
        }
        let claimed = asked.hash.as_deref().map(parse_hash).transpose()?;
        let Some(text) = asked.query.as_deref().filter(|text| !text.is_empty()) else {
            let known = claimed.and_then(|hash| self.remembered.get(&hash));
            // Apollo Client looks for this very message as well as for the code.
            return known.ok_or_else(|| coded(Code::PersistedQueryNotFound, "PersistedQueryNotFound", None));
        };
        let hash = hash_of(text);
        if claimed.is_some_and(|claimed| claimed != hash) {
            let message = "The query is not the one that 'extensions.persistedQuery.sha256Hash' says.";
            return Err(coded(Code::BadRequest, message, None));
        }
        if let Some(known) = self.remembered.get(&hash) {
            return Ok(known);
        }
        let document = Arc::new(api.read(text)?);
        self.remembered.insert(hash, Arc::clone(&document));
        Ok(document)
    }
}

/// A trusted document is asked for by its id, or by its hash where that is the id.
fn find_trusted(trusted: &HashMap<String, Trusted>, asked: &Asked) -> Result<Arc<Document>, ServerError> {
    let refused = |message: &str| Err(coded(Code::DocumentNotTrusted, message, None));
    let Some(id) = asked.id.as_ref().or(asked.hash.as_ref()) else {
        return refused("This server runs trusted documents only; ask for one by 'documentId'.");
    };
    match trusted.get(id) {
        None => refused("There is no trusted document of this id."),
        Some(Trusted { hash, document }) => {
            let text = asked.query.as_ref().filter(|text| !text.is_empty());
            if text.is_some_and(|text| hash_of(text) != *hash) {
                return refused("The query is not the text of the trusted document of this id.");
            }
            Ok(Arc::clone(document))
        }
    }
}

fn hash_of(text: &str) -> Hash {
    Sha256::digest(text).into()
}

fn parse_hash(text: &str) -> Result<Hash, ServerError> {
    let wrong = || coded(Code::BadRequest, "'sha256Hash' is not a SHA-256 in 64 hexadecimal digits.", None);
    let mut hash = Hash::default();
    if text.len() != 64 || !text.is_ascii() {
        return Err(wrong());
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).unwrap_or_default();
        *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
    }
    Ok(hash)
}

/// A file's documents by id.
fn file(path: &Path) -> Result<Vec<(String, String)>, String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum File {
        Manifest { format: String, operations: Vec<Operation> },
        Map(HashMap<String, String>),
    }
    #[derive(Deserialize)]
    struct Operation {
        id: String,
        body: String,
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let form = "neither an object {id: document} nor Apollo's manifest of persisted queries";
    match serde_json::from_str(&text).map_err(|_| format!("{} is {form}", path.display()))? {
        File::Manifest { format, operations } if format == "apollo-persisted-query-manifest" => {
            Ok(operations.into_iter().map(|operation| (operation.id, operation.body)).collect())
        }
        File::Manifest { .. } => Err(format!("{} is {form}", path.display())),
        File::Map(documents) => Ok(documents.into_iter().collect()),
    }
}

/// A folder's documents by the SHA-256 of their text, which must be their name.
fn folder(path: &Path) -> Result<Vec<(String, String)>, String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_none_or(|extension| extension != "graphql") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
        if parse_hash(&name).ok() != Some(hash_of(&text)) {
            return Err(format!("{} is not named by the SHA-256 of its text", path.display()));
        }
        documents.push((name, text));
    }
    Ok(documents)
}
