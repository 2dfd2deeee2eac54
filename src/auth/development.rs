//! Development mode's secret: made once and kept in the working directory, so that tokens outlive a restart.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The file's name.
pub const SECRET_FILE: &str = ".taskql-dev-secret";

/// The secret of the working directory `directory`, made where there is none yet.
///
/// # Errors
/// Where the file can be neither read nor made.
pub fn secret(directory: &Path) -> io::Result<Vec<u8>> {
    let path = directory.join(SECRET_FILE);
    match create(&path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(&path),
        made => made,
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let secret = fs::read_to_string(path)?.trim().as_bytes().to_vec();
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    if secret.len() >= 32 {
        return Ok(secret);
    }
    Err(io::Error::new(ErrorKind::InvalidData, "it has fewer than 32 bytes; delete it and a new one is made"))
}

/// Makes the file whole under another name first: a server that starts beside this one never reads half a secret.
fn create(path: &Path) -> io::Result<Vec<u8>> {
    if path.exists() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let secret = URL_SAFE_NO_PAD.encode(bytes);
    let draft = path.with_extension(std::process::id().to_string());
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&draft)?.write_all(format!("{secret}\n").as_bytes())?;
    match fs::hard_link(&draft, path) {
        Ok(()) => fs::remove_file(&draft)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(&draft)?;
            return Err(error);
        }
        // Not every file system has links.
        Err(_) => fs::rename(&draft, path)?,
    }
    Ok(secret.into_bytes())
}
