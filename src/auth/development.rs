//! Development mode's secret: made once and kept in the working directory, so that tokens outlive a restart.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The file's name.
pub const SECRET_FILE: &str = ".taskql-dev-secret";

/// Fewest bytes of a secret.
const MIN_BYTES: usize = 32;
/// More than any file of ours has.
const MAX_BYTES: u64 = 4_096;

/// The secret of the working directory `directory`, made where there is none yet.
///
/// # Errors
/// Where the file can be neither read nor made, or where others know it: what is wrong and what to do.
pub fn secret(directory: &Path) -> Result<Vec<u8>, String> {
    let path = directory.join(SECRET_FILE);
    let unmade = |error: io::Error| {
        format!("cannot be made ({error}); make the folder writable, start in another one, or set TASKQL_JWT_SECRET")
    };
    let is_dangling = fs::symlink_metadata(&path).is_ok_and(|entry| entry.is_symlink()) && !path.exists();
    if is_dangling {
        fs::remove_file(&path).map_err(unmade)?;
    }
    match fs::symlink_metadata(&path) {
        Ok(_) => read(&path),
        Err(_) => match create(directory, &path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => read(&path),
            made => made.map_err(unmade),
        },
    }
}

/// Reads a secret that nobody else can have put there.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| format!("cannot be read ({error}); remove it and a new one is made");
    let (entry, target) = (fs::symlink_metadata(path).map_err(unreadable)?, fs::metadata(path).map_err(unreadable)?);
    let ours = rustix::process::geteuid().as_raw();
    if entry.uid() != ours || target.uid() != ours {
        return Err("belongs to another user, who can sign tokens with it; start in a folder of your own, or set \
                    TASKQL_JWT_SECRET"
            .into());
    }
    // Opening what is no file may wait for ever.
    if !target.is_file() {
        return Err("is not a file; remove it and a new one is made".into());
    }
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode();
    if mode & 0o022 != 0 {
        return Err("can be written by others; remove it and a new one is made".into());
    }
    if mode & 0o044 != 0 {
        file.set_permissions(Permissions::from_mode(0o600)).map_err(unreadable)?;
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(unreadable)?;
    match text.trim() {
        secret if secret.len() >= MIN_BYTES => Ok(secret.into()),
        _ => Err(format!("has fewer than {MIN_BYTES} bytes; remove it and a new one is made")),
    }
}

/// Makes the file whole under another name first: a server that starts beside this one never reads half a secret.
fn create(directory: &Path, path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = [0; 40];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let (secret, suffix) = bytes.split_at(MIN_BYTES);
    let (secret, suffix) = (URL_SAFE_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(suffix));
    // A name that no start before this one has left behind.
    let draft = directory.join(format!("{SECRET_FILE}.{suffix}"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let linked = file.write_all(format!("{secret}\n").as_bytes()).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => fs::rename(&draft, path), // Not every file system has links.
        linked => linked,
    });
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => linked.map(|()| secret.into_bytes()),
    }
}
