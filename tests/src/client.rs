//! A client of the host's API (docs: `host/openapi.json`), as a centre or an institution would write one.

use protocol::key_file::Keys;
use protocol::value::Base64;
use serde_json::{Value, json};

/// A party that is signed in.
pub struct Client {
    base: String,
    token: String,
    http: reqwest::Client,
}

impl Client {
    /// Signs in with a key: challenge, signature, short-lived token.
    pub async fn sign_in(url: &str, keys: &Keys) -> Self {
        let mut client =
            Self { base: format!("{url}/api/v1/"), token: String::new(), http: reqwest::Client::new() };
        let key = keys.signing.public().to_string();
        let asked = client.post_json("sign-in/challenge", &json!({ "key": key })).await;
        let word = |name: &str| asked[name].as_str().unwrap();
        let challenge: Base64 = word("challenge").parse().unwrap();
        let host = word("host").parse().unwrap();
        let signature =
            Base64(keys.signing.sign_in(&host, &challenge.0.try_into().unwrap()).to_vec()).to_string();
        let signed = json!({ "key": key, "challenge": word("challenge"), "signature": signature });
        client.token = client.post_json("sign-in", &signed).await["token"].as_str().unwrap().to_owned();
        client
    }

    async fn post_json(&self, path: &str, body: &Value) -> Value {
        let reply = self.http.post(format!("{}{path}", self.base)).json(body).send().await.unwrap();
        reply.error_for_status().unwrap().json().await.unwrap()
    }

    /// Hands a document in; gives what the host replies.
    pub async fn post(&self, path: &str, document: Vec<u8>) -> Vec<u8> {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.token);
        let request = request.header("Content-Type", "application/octet-stream").body(document);
        request.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap().to_vec()
    }

    /// Fetches a document.
    pub async fn get(&self, path: &str) -> Vec<u8> {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.token);
        request.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap().to_vec()
    }

    /// Fetches JSON.
    pub async fn get_json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.get(path).await).unwrap()
    }
}
