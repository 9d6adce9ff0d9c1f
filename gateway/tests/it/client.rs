//! A small HTTP client that shows what came, byte for byte.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use std::collections::HashMap;
use tokio::io::{AsyncRead, AsyncWrite};

pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Bytes,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Data of each event of a stream.
    pub fn events(&self) -> Vec<String> {
        let text = self.text();
        text.split("\n\n").filter_map(|e| e.trim_start().strip_prefix("data: ").map(str::to_owned)).collect()
    }

    /// Events that are JSON.
    pub fn chunks(&self) -> Vec<Value> {
        self.events().iter().filter_map(|e| serde_json::from_str(e).ok()).collect()
    }

    /// Text of all chunks, joined.
    pub fn content(&self) -> String {
        let of = |c: &Value| c["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned();
        self.chunks().iter().map(of).collect()
    }
}

type Http = Client<HttpConnector, Full<Bytes>>;

pub fn http() -> Http {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Sends one request and reads the whole answer.
pub async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let (status, headers, body) = open(method, url, headers, body).await;
    Answer { status, headers, body: body.collect().await.map(|b| b.to_bytes()).unwrap_or_default() }
}

/// Sends one request and hands out the body as it comes.
pub async fn open(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> (u16, HashMap<String, String>, hyper::body::Incoming) {
    let response = http().request(request(method, url, headers, body)).await.unwrap();
    (response.status().as_u16(), texts(response.headers()), response.into_body())
}

fn request(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> http::Request<Full<Bytes>> {
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body.into())).unwrap()
}

fn texts(headers: &http::HeaderMap) -> HashMap<String, String> {
    let mut texts: HashMap<String, String> =
        headers.iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap_or_default().to_owned())).collect();
    // The one header of which every value counts.
    let cookies: Vec<&str> = headers.get_all("set-cookie").iter().filter_map(|v| v.to_str().ok()).collect();
    if !cookies.is_empty() {
        texts.insert(String::from("set-cookie"), cookies.join("\n"));
    }
    texts
}

async fn whole(response: http::Response<hyper::body::Incoming>) -> Answer {
    let (status, headers) = (response.status().as_u16(), texts(response.headers()));
    Answer { status, headers, body: response.into_body().collect().await.unwrap().to_bytes() }
}

// --- over a connection that the caller made ---

pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// One request with HTTP/1.1.
pub async fn send_http1(
    io: impl Io,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await.unwrap();
    tokio::spawn(connection);
    let mut all = vec![("host", "localhost")];
    all.extend_from_slice(headers);
    whole(sender.send_request(request(method, path, &all, body)).await.unwrap()).await
}

/// A connection with HTTP/2, for any number of requests at once.
#[derive(Clone)]
pub struct Http2(http2::SendRequest<Full<Bytes>>);

impl Http2 {
    pub async fn over(io: impl Io) -> hyper::Result<Http2> {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await?;
        tokio::spawn(connection);
        Ok(Http2(sender))
    }

    /// A chat completion, whose answer is handed out as it comes.
    pub async fn open(
        &self,
        key: &str,
        body: impl ToString,
    ) -> hyper::Result<http::Response<hyper::body::Incoming>> {
        let auth = format!("Bearer {key}");
        let headers = [("authorization", auth.as_str()), ("content-type", "application/json")];
        let url = "https://localhost/v1/chat/completions";
        self.0.clone().send_request(request("POST", url, &headers, body.to_string())).await
    }

    /// A chat completion, whole.
    pub async fn chat(&self, key: &str, body: impl ToString) -> Answer {
        let response = self.open(key, body).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        whole(response).await
    }
}
