//! Persisted queries and trusted documents.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use taskql::graphql::Documents;

use crate::support::{Answer, TestApp, folder};

const QUERY: &str = "query Q($n: Int = 1) { tasks(first: $n) { totalCount } }";

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn persisted(hash: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash}})
}

fn outcome(answer: &Answer) -> (u16, Option<&str>) {
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn an_automatic_persisted_query_is_known_once_its_text_was_sent() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let by_hash = json!({"extensions": persisted(&hash(QUERY)), "variables": {"n": 2}});
    let missing = ada.post(by_hash.clone()).await;
    assert_eq!(outcome(&missing), (200, Some("PERSISTED_QUERY_NOT_FOUND")));
    assert_eq!(missing["errors"][0]["message"], "PersistedQueryNotFound");
    assert_eq!(missing.body.get("data"), None);
    let with_text = json!({"query": QUERY, "extensions": persisted(&hash(QUERY))});
    assert_eq!(outcome(&ada.post(with_text).await), (200, None));
    assert_eq!(ada.post(by_hash).await["data"]["tasks"]["totalCount"], 0);
    let query = form_urlencode(&persisted(&hash(QUERY)).to_string());
    let by_get = ada.get(&format!("/graphql?extensions={query}&variables=%7B%22n%22%3A3%7D")).await;
    assert_eq!(by_get["data"]["tasks"]["totalCount"], 0, "{by_get:?}");
    // Variables are checked anew, tokens too.
    let wrong = json!({"extensions": persisted(&hash(QUERY)), "variables": {"n": "x"}});
    assert_eq!(outcome(&ada.post(wrong.clone()).await), (400, Some("GRAPHQL_VALIDATION_FAILED")));
    assert_eq!(outcome(&app.anonymous().post(wrong).await), (401, Some("UNAUTHENTICATED")));
}

fn form_urlencode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn a_hash_that_is_not_the_texts_is_refused_and_nothing_is_kept() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let poison = json!({"query": "{ __typename }", "extensions": persisted(&hash(QUERY))});
    assert_eq!(outcome(&ada.post(poison).await), (400, Some("BAD_REQUEST")));
    assert_eq!(
        outcome(&ada.post(json!({"extensions": persisted(&hash(QUERY))})).await).1,
        Some("PERSISTED_QUERY_NOT_FOUND")
    );
    for bad in [
        json!({"persistedQuery": {"version": 2, "sha256Hash": hash(QUERY)}}),
        json!({"persistedQuery": {"sha256Hash": hash(QUERY)}}),
        json!({"persistedQuery": {"version": 1}}),
        json!({"persistedQuery": "x"}),
        persisted("xyz"),
        persisted(&"é".repeat(32)),
        persisted(&"g".repeat(64)),
    ] {
        let answer = ada.post(json!({"extensions": bad})).await;
        assert_eq!(outcome(&answer), (400, Some("BAD_REQUEST")), "{bad}");
    }
    // A document that cannot be read is not remembered either.
    let broken = json!({"query": "{", "extensions": persisted(&hash("{"))});
    assert_eq!(outcome(&ada.post(broken).await).1, Some("GRAPHQL_PARSE_FAILED"));
    assert_eq!(
        outcome(&ada.post(json!({"extensions": persisted(&hash("{"))})).await).1,
        Some("PERSISTED_QUERY_NOT_FOUND")
    );
}

#[tokio::test]
async fn a_persisted_mutation_is_not_run_by_get() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let mutation = "mutation { createTask(input: {title: \"x\"}) { task { id } } }";
    ada.post(json!({"query": mutation, "extensions": persisted(&hash(mutation))})).await;
    let by_get =
        ada.get(&format!("/graphql?extensions={}", form_urlencode(&persisted(&hash(mutation)).to_string()))).await;
    assert_eq!(outcome(&by_get), (405, Some("METHOD_NOT_ALLOWED")));
    assert_eq!(ada.titles("").await.len(), 1);
}

#[tokio::test]
async fn what_is_remembered_is_bounded() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let document = |n: usize| format!("{{ __typename }} #{n}{}", "x".repeat(8_000));
    for n in 0..2_500 {
        let text = document(n);
        let answer = ada.post(json!({"query": text, "extensions": persisted(&hash(&text))})).await;
        assert_eq!(outcome(&answer), (200, None));
    }
    let mut kept = 0;
    for n in 0..2_500 {
        kept += usize::from(ada.post(json!({"extensions": persisted(&hash(&document(n)))})).await.code().is_none());
    }
    assert!((1_000..2_000).contains(&kept), "{kept} documents of 8 kB in 16 MiB");
}

/// Trusted documents in each of the three forms, with the id of the one.
fn trusted_files() -> Vec<(std::path::PathBuf, String)> {
    let folder = folder();
    let map = folder.join("map.json");
    std::fs::write(&map, json!({"the-id": QUERY}).to_string()).expect("written");
    let manifest = folder.join("manifest.json");
    let operation = json!({"id": hash(QUERY), "name": "Q", "type": "query", "body": QUERY});
    let text = json!({"format": "apollo-persisted-query-manifest", "version": 1, "operations": [operation]});
    std::fs::write(&manifest, text.to_string()).expect("written");
    let documents = folder.join("documents");
    std::fs::create_dir(&documents).expect("made");
    std::fs::write(documents.join(format!("{}.graphql", hash(QUERY))), QUERY).expect("written");
    std::fs::write(documents.join("README.md"), "not a document").expect("written");
    vec![(map, "the-id".into()), (manifest, hash(QUERY)), (documents, hash(QUERY))]
}

#[tokio::test]
async fn where_documents_are_trusted_nothing_else_is_run() {
    for (path, id) in trusted_files() {
        let app = TestApp::with(|app| app.documents = Documents::trusted(&app.api, &path).expect("good files")).await;
        let ada = app.user("ada");
        let by_id = ada.post(json!({"documentId": id, "variables": {"n": 3}})).await;
        assert_eq!(by_id["data"]["tasks"]["totalCount"], 0, "{path:?} {by_id:?}");
        assert_eq!(ada.get(&format!("/graphql?documentId={id}")).await["data"]["tasks"]["totalCount"], 0);
        assert_eq!(outcome(&ada.post(json!({"documentId": id, "query": QUERY})).await), (200, None));
        if id == hash(QUERY) {
            assert_eq!(outcome(&ada.post(json!({"extensions": persisted(&id), "query": QUERY})).await), (200, None));
            assert_eq!(outcome(&ada.post(json!({"extensions": persisted(&id)})).await), (200, None));
        }
        let other = "{ viewer { id } }";
        for refused in [
            json!({"query": QUERY}),
            json!({"query": other}),
            json!({"documentId": "another"}),
            json!({"documentId": id, "query": other}),
            json!({"query": other, "extensions": persisted(&hash(other))}),
            json!({"extensions": persisted(&hash(other))}),
            json!({"query": "{ __typename }"}),
        ] {
            assert_eq!(outcome(&ada.post(refused.clone()).await), (400, Some("DOCUMENT_NOT_TRUSTED")), "{refused}");
        }
        assert_eq!(outcome(&app.anonymous().post(json!({"documentId": id})).await), (401, Some("UNAUTHENTICATED")));
    }
    let app = TestApp::new().await;
    assert_eq!(outcome(&app.user("ada").post(json!({"documentId": "x"})).await), (400, Some("DOCUMENT_NOT_TRUSTED")));
}

#[tokio::test]
async fn files_of_trusted_documents_are_checked_at_start() {
    let folder = folder();
    let check = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let bad = [
        folder.join("nowhere.json"),
        check("text.json", "hello"),
        check("list.json", "[]"),
        check("empty.json", "{}"),
        check("numbers.json", "{\"a\": 1}"),
        check("broken.json", &json!({"a": "{ broken"}).to_string()),
        check("deep.json", &json!({"a": "{".repeat(40)}).to_string()),
        check("other.json", &json!({"format": "other", "operations": []}).to_string()),
    ];
    std::fs::create_dir(folder.join("misnamed")).expect("made");
    std::fs::write(folder.join("misnamed/abc.graphql"), QUERY).expect("written");
    let app = TestApp::new().await;
    let api = taskql::graphql::Api::new(app.store.clone(), true);
    for path in bad.into_iter().chain([folder.join("misnamed")]) {
        let Err(refused) = Documents::trusted(&api, &path) else { panic!("{path:?} was taken") };
        assert!(!refused.0.contains('\n'), "{refused:?}");
    }
}
