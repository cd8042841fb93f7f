//! Our HTTPS client and a server that half of the world's artefacts come from: nginx, with TLS 1.3.

use std::{
    cell::Cell,
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use iotsec::{
    core::{hal::UnixTime, input::Url},
    net::{
        https::{Client, Download, HttpsError, RetryAfter},
        interfaces,
        surface::{Endpoint, Host, Interface, Phase, Protocol},
        time::CertificateTime,
        tls::{self, Alpn, Anchors, Connection, Provider},
    },
};

use super::Place;
use crate::tool::{self, Failure};

const PORT: u16 = 18443;
const SIZE: usize = 3_000_000;

interfaces!(static PRODUCT = [Interface::endpoint(
    "files", "Releases", Endpoint::new(Host::Name("files.example"), PORT, Protocol::Https),
)]);

pub(super) fn check(place: &Place) -> Result<(), Failure> {
    let nginx = ["nginx", "/usr/sbin/nginx"].into_iter().find(|program| {
        let version = Command::new(program).arg("-v").stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    });
    let nginx = nginx.ok_or("nginx is missing: apt-get install nginx-light")?;
    let files = Files::new(&place.work.join("https"))?;
    let _server = Server::start(nginx, &files.folder)?;

    let (mut cuts, mut bytes) = (0, 0);
    for (path, ranges) in [
        ("image", true),
        ("noranges/image", false),
        ("chunked/image", false),
    ] {
        for link in [usize::MAX, 1_000_003, 600_000] {
            if !ranges && link != usize::MAX {
                // Without ranges everything comes each time, and a link that always breaks never brings it.
                let rest = files.fetch_from(path, SIZE / 2, usize::MAX)?;
                must(
                    rest == files.image[SIZE / 2..],
                    "the rest of an artefact without ranges",
                )?;
                continue;
            }
            let mut image = Vec::new();
            while image.len() < SIZE {
                image.extend(files.fetch_from(path, image.len(), link)?);
                cuts += 1;
            }
            must(image == files.image, "an artefact in parts")?;
            bytes += image.len();
        }
    }
    println!("https: {bytes} bytes of nginx in {cuts} connections, each artefact as it was");
    files.answers()?;
    println!("https: tags, errors, hints and dates are as nginx says them");
    Ok(())
}

fn must(holds: bool, what: &str) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(format!("https: {what}: not as expected").into())
    }
}

/// What the server has.
struct Files {
    folder: PathBuf,
    image: Vec<u8>,
    client: tls::Client,
    time: CertificateTime,
}

impl Files {
    fn new(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder.join("www"))?;
        let mut word: u32 = 1;
        let mut next = || {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            word.to_be_bytes()[0]
        };
        let image: Vec<u8> = (0..SIZE).map(|_| next()).collect();
        for way in ["", "noranges", "chunked"] {
            fs::create_dir_all(folder.join("www").join(way))?;
            fs::write(folder.join("www").join(way).join("image"), &image)?;
        }
        fs::write(folder.join("www/manifest"), b"release 2")?;
        let openssl = |line: &str| {
            let mut command = Command::new("openssl");
            command
                .current_dir(folder)
                .args(line.split(' '))
                .stderr(Stdio::null());
            tool::run(&mut command)
        };
        openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 30 \
             -subj /CN=ca -addext keyUsage=critical,keyCertSign,cRLSign",
        )?;
        openssl("x509 -in ca.pem -outform DER -out ca.der")?;
        openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr \
             -subj /CN=files",
        )?;
        fs::write(
            folder.join("server.ext"),
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
             extendedKeyUsage=serverAuth\nsubjectAltName=DNS:files.example\n",
        )?;
        openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile server.ext \
             -out server.pem",
        )?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let time = CertificateTime::exact(UnixTime(now));
        let anchors = Anchors::new(&[&fs::read(folder.join("ca.der"))?], time)?;
        let client = tls::Client::new(&Provider::ring(), anchors, Alpn::Require(&[b"http/1.1"]))?;
        Ok(Self {
            folder: folder.to_owned(),
            image,
            client,
            time,
        })
    }

    fn connect(&self) -> Result<Connection, Failure> {
        let gate = PRODUCT.gate(Phase::Owned);
        let grant = gate.grant_outbound("files", "files.example", PORT)?;
        let address = SocketAddr::from(([127, 0, 0, 1], PORT));
        Ok(tls::connect_at(grant, &[address], &self.client, self.time)?)
    }

    /// What comes of an artefact from byte `at` on over a connection that breaks after `link` bytes.
    fn fetch_from(&self, path: &str, at: usize, link: usize) -> Result<Vec<u8>, Failure> {
        let left = Cell::new(link);
        let stream = Breaking {
            stream: self.connect()?,
            left: &left,
        };
        let url = format!("https://files.example:{PORT}/{path}");
        let mut download = Download::new(at.try_into()?, SIZE.try_into()?)?;
        let mut part = Vec::new();
        let result = Client::new(stream).download(&Url::parse(url.as_bytes())?, &mut download, |bytes| {
            part.extend_from_slice(bytes);
            Ok::<(), HttpsError>(())
        });
        match result {
            Ok(()) => {}
            Err(HttpsError::Connection) if left.get() == 0 => {}
            Err(error) => return Err(error.into()),
        }
        must(!part.is_empty(), "a connection that brings something")?;
        must(
            download.at() == u64::try_from(at + part.len())?,
            "where a download goes on",
        )?;
        Ok(part)
    }

    /// Everything that is not a download, over few connections.
    fn answers(&self) -> Result<(), Failure> {
        let url = |path: &str| format!("https://files.example:{PORT}/{path}");
        let mut out = [0; 64];
        let mut client = Client::new(self.connect()?);
        let manifest = url("manifest");
        let manifest = Url::parse(manifest.as_bytes())?;
        let (head, len) = client.get(&manifest, None, &mut out)?;
        must(
            &out[..len] == b"release 2" && head.tag.is_some(),
            "a document with a tag",
        )?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        must(
            head.date.is_some_and(|date| date.0.abs_diff(now) < 60),
            "the server's clock",
        )?;
        let (head, len) = client.get(&manifest, head.tag, &mut out)?;
        must((head.status, len) == (304, 0), "nothing new")?;
        let report = url("report");
        let head = client.post(&Url::parse(report.as_bytes())?, "application/cbor", b"\xa0")?;
        must(
            head.status == 204 && client.is_usable(),
            "a report over the same connection",
        )?;

        for (path, error) in [
            ("nothing", HttpsError::Missing),
            ("busy", HttpsError::Busy),
            ("moved", HttpsError::Redirect),
            ("refused", HttpsError::Refused),
            ("broken", HttpsError::Server),
            ("image", HttpsError::TooLong),
        ] {
            let mut client = Client::new(self.connect()?);
            let url = url(path);
            let result = client.get(&Url::parse(url.as_bytes())?, None, &mut out);
            must(result.err() == Some(error), path)?;
            let hint = (path == "busy").then_some(RetryAfter::Seconds(600));
            must(client.retry_after() == hint, "when to come again")?;
        }
        let mut download = Download::new(0, u64::try_from(SIZE)? + 1)?;
        let image = url("image");
        let result =
            Client::new(self.connect()?).download(&Url::parse(image.as_bytes())?, &mut download, |_| {
                Err(HttpsError::Over)
            });
        must(result == Err(HttpsError::Size), "an artefact of another size")
    }
}

/// A connection that breaks.
struct Breaking<'l> {
    stream: Connection,
    left: &'l Cell<usize>,
}

impl Read for Breaking<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = out.len().min(self.left.get());
        if len == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let read = self.stream.read(&mut out[..len])?;
        self.left.set(self.left.get() - read);
        Ok(read)
    }
}

impl Write for Breaking<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

struct Server(Child);

impl Server {
    fn start(nginx: &str, folder: &Path) -> Result<Self, Failure> {
        let place = folder.display();
        let config = format!(
            "daemon off; pid {place}/pid; error_log {place}/error.log; worker_processes 1;
             events {{}}
             http {{
               access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
               fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
               server {{
                 listen 127.0.0.1:{PORT} ssl; server_name files.example; root {place}/www;
                 ssl_certificate {place}/server.pem; ssl_certificate_key {place}/server.key; ssl_protocols TLSv1.3;
                 location /noranges {{ max_ranges 0; }}
                 location /chunked {{ ssi on; ssi_types *; max_ranges 0; }}
                 location /report {{ return 204; }}
                 location /busy {{ add_header Retry-After 600 always; return 503; }}
                 location /moved {{ return 301 https://elsewhere.example/; }}
                 location /refused {{ return 403; }}
                 location /broken {{ return 502; }}
               }}
             }}"
        );
        fs::write(folder.join("nginx.conf"), config)?;
        let mut command = Command::new(nginx);
        command
            .arg("-c")
            .arg(folder.join("nginx.conf"))
            .arg("-p")
            .arg(folder);
        let server = Self(command.stderr(Stdio::null()).spawn()?);
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", PORT)).is_err() {
            if Instant::now() > deadline {
                let log = fs::read_to_string(folder.join("error.log")).unwrap_or_default();
                return Err(format!("nginx does not listen: {log}").into());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // To the master, which ends its workers; what is left of a folder that is gone matters to nobody.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}
