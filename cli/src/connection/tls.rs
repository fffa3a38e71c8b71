//! TLS as `sslmode` means it: «SSL Support» of libpq's manual.
//!
//! Three differences remain. `allow` is `prefer`, because the driver does not try without TLS first.
//! Names are compared with the certificate's alternative names only, not with its common name. A key
//! that is encrypted with a password is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres::Socket;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;

use super::binding::{Connect, Stream};
use super::parameters::{Parameters, home};
use super::password::is_open;
use super::refused;
use crate::answer::Failure;

/// What is asked of the server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verification {
    /// No TLS at all.
    Disabled,
    /// TLS if the server has it, whoever it is.
    Preferred,
    /// TLS, whoever the server is.
    Required,
    /// A chain to one of these certificates.
    Chain(Roots),
    /// The chain, and the server's name.
    Full(Roots),
}

/// Where the certificates are that are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    File(PathBuf),
    System,
}

impl Verification {
    /// What the parameters ask for.
    pub(super) fn of(parameters: &Parameters) -> Result<Self, Box<Failure>> {
        let named = parameters.get("sslrootcert");
        if named == Some("system") {
            return match parameters.get("sslmode") {
                None | Some("verify-full") => Ok(Self::Full(Roots::System)),
                Some(_) => Err(refused(
                    "sslmode",
                    "is weaker than `verify-full`, which `sslrootcert=system` needs",
                )),
            };
        }
        let file = named.map(PathBuf::from).or_else(|| of_person("root.crt"));
        let exists = file.clone().filter(|it| it.exists());
        match (parameters.get("sslmode").unwrap_or("prefer"), exists) {
            ("disable", _) => Ok(Self::Disabled),
            ("allow" | "prefer", _) => Ok(Self::Preferred),
            // libpq: with a root certificate `require` is `verify-ca`.
            ("require", None) => Ok(Self::Required),
            ("require" | "verify-ca", Some(file)) => Ok(Self::Chain(Roots::File(file))),
            ("verify-full", Some(file)) => Ok(Self::Full(Roots::File(file))),
            ("verify-ca" | "verify-full", None) => {
                let looked = file.map_or_else(String::new, |it| format!(" at `{}`", it.display()));
                Failure::usage(format!("there is no root certificate{looked}"))
                    .note("`sslmode` asks for the server's certificate to be verified")
                    .help("name the file with `sslrootcert`, or `sslrootcert=system` for what this machine trusts")
                    .into()
            }
            _ => Err(refused(
                "sslmode",
                "is none of disable, allow, prefer, require, verify-ca, verify-full",
            )),
        }
    }

    /// What the driver is to ask the server for.
    pub(super) const fn asked(&self) -> SslMode {
        match self {
            Self::Disabled => SslMode::Disable,
            Self::Preferred => SslMode::Prefer,
            Self::Required | Self::Chain(_) | Self::Full(_) => SslMode::Require,
        }
    }
}

/// Makes a TLS connector for each host.
#[derive(Clone)]
pub(super) struct Connector {
    config: Arc<ClientConfig>,
    /// What counts as the server's name where the driver gives none: on a socket, where there is no
    /// TLS, and for an address without a name.
    nameless: String,
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Stream<Socket>;
    type TlsConnect = Connect;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Self::TlsConnect, Self::Error> {
        let name = if host.is_empty() { self.nameless.as_str() } else { host };
        let name = ServerName::try_from(name)?.to_owned();
        Ok(Connect { config: Arc::clone(&self.config), name })
    }
}

/// The connector that holds certificates to be what was asked.
pub(super) fn connector(
    parameters: &Parameters,
    verification: &Verification,
) -> Result<Connector, Box<Failure>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = match verification {
        Verification::Chain(roots) | Verification::Full(roots) => certificates_of(roots)?,
        _ => Vec::new(),
    };
    let chain = match verification {
        Verification::Chain(_) | Verification::Full(_) => Some(chain_verifier(&roots, &provider)?),
        _ => None,
    };
    let verifier = Verifier {
        chain,
        roots,
        checks_name: matches!(verification, Verification::Full(_)),
        provider: Arc::clone(&provider),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let own = parameters.get("sslcert").map(PathBuf::from);
    let own = own.or_else(|| of_person("postgresql.crt").filter(|it| it.exists()));
    let config = match own.filter(|_| *verification != Verification::Disabled) {
        Some(own) => {
            let key = parameters.get("sslkey").map(PathBuf::from);
            let key = key.or_else(|| of_person("postgresql.key")).unwrap_or_default();
            builder
                .with_client_auth_cert(certificates(&own)?, private_key(&key)?)
                .map_err(|error| unusable(&error))?
        }
        None => builder.with_no_client_auth(),
    };
    let nameless = parameters.list("hostaddr").first().copied().unwrap_or("localhost").to_owned();
    Ok(Connector { config: Arc::new(config), nameless })
}

fn chain_verifier(
    roots: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Box<Failure>> {
    let mut store = RootCertStore::empty();
    let (_n_added, _n_ignored) = store.add_parsable_certificates(roots.iter().cloned());
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
        .build()
        .map_err(|error| unusable(&error))
}

fn certificates_of(roots: &Roots) -> Result<Vec<CertificateDer<'static>>, Box<Failure>> {
    match roots {
        Roots::File(file) => certificates(file),
        Roots::System => Ok(rustls_native_certs::load_native_certs().certs),
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Box<Failure>> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Failure::usage(format!("there is no certificate in `{}`", file.display())).into(),
        Err(error) => {
            Failure::usage(format!("the certificate `{}` cannot be read: {error}", file.display()))
                .into()
        }
    }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, Box<Failure>> {
    let shown = file.display();
    if fs::metadata(file).is_ok_and(|it| is_open(&it)) {
        return Failure::usage(format!("the private key `{shown}` can be read by others"))
            .help(format!("chmod 600 {shown}"))
            .into();
    }
    PrivateKeyDer::from_pem_file(file).map_err(|error| {
        Box::new(
            Failure::usage(format!("the private key `{shown}` cannot be read: {error}"))
                .note("a key that is encrypted with a password is not taken"),
        )
    })
}

/// A file in libpq's folder of this person.
fn of_person(name: &str) -> Option<PathBuf> {
    home().map(|it| it.join(".postgresql").join(name))
}

fn unusable(error: &dyn std::error::Error) -> Box<Failure> {
    Box::new(Failure::usage(format!("the certificates cannot be used: {error}")))
}

/// Verifies as much as `sslmode` asks for. What is never left out is that the server holds the key of
/// the certificate it shows.
#[derive(Debug)]
struct Verifier {
    chain: Option<Arc<WebPkiServerVerifier>>,
    roots: Vec<CertificateDer<'static>>,
    checks_name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        // A server that signed its own certificate shows the very one that is trusted.
        if !self.roots.iter().any(|it| it.as_ref() == end_entity.as_ref()) {
            let found = chain.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            );
            match found {
                Ok(verified) => return Ok(verified),
                // The chain is looked at first, so it is right.
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                )) => {}
                Err(other) => return Err(other),
            }
        }
        if self.checks_name {
            rustls::client::verify_server_name(
                &ParsedCertificate::try_from(end_entity)?,
                server_name,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
