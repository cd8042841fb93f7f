use std::{io::Read, sync::Arc};

use iotsec_core::hal::Millis;
use iotsec_net::{
    certificate::CertificateError,
    tls::{Alpn, Client, ClientAnchors, Handshake, Identity, Provider, Server, Session, Step, TlsError},
};

use crate::{
    pki::{ROOT, anchors, host, p256_key},
    vector::{NOW, Vectors},
    wire::{End, Peer, link},
};

/// Our own server on a wire.
#[derive(Debug)]
enum Ours {
    Handshake(Option<Handshake>),
    Session(Session),
    Refused(TlsError),
}

impl Peer for Ours {
    fn turn(&mut self, end: &mut End) {
        while let Self::Handshake(handshake) = self {
            match handshake.take().unwrap().advance(end, Millis(1)) {
                Ok(Step::Done(session)) => *self = Self::Session(session),
                Ok(Step::Pending(pending)) => {
                    let waits = !pending.wants_write();
                    *handshake = Some(pending);
                    if waits {
                        break;
                    }
                }
                Err(error) => *self = Self::Refused(error),
            }
        }
    }
}

const HTTP: Alpn = Alpn::Require(&[b"http/1.1"]);

fn identity(name: &str) -> Identity {
    Identity::new(
        &Vectors::read().chain(name).certificates,
        Arc::new(p256_key(name)),
    )
    .unwrap()
}

fn server() -> Server {
    Server::new(&Provider::ring(), identity("good"), HTTP).unwrap()
}

fn start(server: &Server) -> Ours {
    Ours::Handshake(Some(server.start(NOW, Millis(0)).unwrap()))
}

fn client() -> Client {
    Client::new(&Provider::ring(), anchors(), HTTP).unwrap()
}

#[test]
fn a_device_serves_who_speaks_its_protocol() {
    let mut link = link(&client(), &host(), start(&server())).unwrap();
    let Ours::Session(session) = &mut link.server else {
        panic!("{:?}", link.server);
    };
    link.client
        .write(&mut link.client_end, b"GET /", Millis(2))
        .unwrap();
    let mut buffer = [0; 16];
    assert_eq!(session.read(&mut link.server_end, &mut buffer, Millis(2)), Ok(5));
    assert_eq!(
        (&buffer[..5], session.alpn()),
        (&b"GET /"[..], Some(&b"http/1.1"[..]))
    );
    // No tickets: after the handshake the server has sent nothing by itself.
    assert_eq!(
        link.client.read(&mut link.client_end, &mut buffer, Millis(2)),
        Err(TlsError::Blocked)
    );
    let mut rest = Vec::new();
    link.server_end.hang_up();
    link.client_end.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
}

#[test]
fn a_client_without_the_protocol_is_refused() {
    for alpn in [Alpn::Absent, Alpn::Offer(&[b"h2"])] {
        let client = Client::new(&Provider::ring(), anchors(), alpn).unwrap();
        let answer = link(&client, &host(), start(&server()));
        match answer {
            // The server judges it with the last message of the client, which is then done.
            Ok(link) => assert!(matches!(link.server, Ours::Refused(TlsError::Alpn)), "{link:?}"),
            Err(error) => assert_eq!(error, TlsError::Alert(120)),
        }
    }
}

#[test]
fn a_service_for_clients_with_certificates_is_for_them_alone() {
    let server = server().with_clients(ClientAnchors::new(&[ROOT], NOW).unwrap());
    let come = |client: &Client| link(client, &host(), start(&server)).unwrap().server;
    let known = client().with_identity(identity("client"));
    assert!(matches!(come(&known), Ours::Session(_)));
    assert!(matches!(come(&client()), Ours::Refused(TlsError::NoCertificate)));
    // A server's certificate is none of a client.
    let purpose = TlsError::Certificate(CertificateError::KeyPurpose);
    let answer = come(&client().with_identity(identity("good")));
    assert!(
        matches!(answer, Ours::Refused(error) if error == purpose),
        "{answer:?}"
    );
    let stranger = come(&client().with_identity(identity("untrusted")));
    assert!(matches!(stranger, Ours::Refused(TlsError::Certificate(_))));
}
