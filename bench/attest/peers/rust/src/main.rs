//! The crates `sev` (openssl) and `dcap-qvl` (ring).
use std::{env, fs, panic, time::Instant};

use dcap_qvl::{QuoteCollateralV3, verify::QuoteVerifier};
use serde_json::{Value, json};
use sev::{
    certs::snp::{Certificate, Chain, Verifiable, ca},
    firmware::guest::AttestationReport,
    parser::ByteParser,
};

/// Octets of a member in base64 or hexadecimal.
fn base64(value: &Value) -> Option<Vec<u8>> {
    use openssl::base64::decode_block;
    value.as_str().map(|text| decode_block(text).expect("base64"))
}

struct Case {
    id: String,
    kind: String,
    evidence: Vec<u8>,
    vek: Option<Vec<u8>>,
    ca: Option<Result<ca::Chain, String>>,
    collateral: Option<QuoteCollateralV3>,
    root: Option<Vec<u8>>,
    now: u64,
}

fn read(value: &Value) -> Case {
    let text = |name: &str| value[name].as_str().expect(name).to_owned();
    let authorities = (base64(&value["ark"]), base64(&value["ask"]));
    Case {
        id: text("id"),
        kind: text("kind"),
        evidence: base64(&value["evidence"]).expect("evidence"),
        vek: base64(&value["vek"]),
        ca: match authorities {
            (Some(ark), Some(ask)) => Some(read_authorities(&ark, &ask)),
            _ => None,
        },
        collateral: (!value["collateral"].is_null()).then(|| read_collateral(&value["collateral"])),
        root: base64(&value["root"]),
        now: value["now"].as_u64().expect("now"),
    }
}

fn read_authorities(ark: &[u8], ask: &[u8]) -> Result<ca::Chain, String> {
    let certificate = |der: &[u8]| Certificate::from_der(der).map_err(|error| error.to_string());
    Ok(ca::Chain { ark: certificate(ark)?, ask: certificate(ask)? })
}

fn read_collateral(value: &Value) -> QuoteCollateralV3 {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let octets = |name: &str| hex::decode(text(name)).unwrap_or_default();
    QuoteCollateralV3 {
        pck_crl_issuer_chain: text("pck_crl_issuer_chain"),
        root_ca_crl: octets("root_ca_crl"),
        pck_crl: octets("pck_crl"),
        tcb_info_issuer_chain: text("tcb_info_issuer_chain"),
        tcb_info: text("tcb_info"),
        tcb_info_signature: octets("tcb_info_signature"),
        qe_identity_issuer_chain: text("qe_identity_issuer_chain"),
        qe_identity: text("qe_identity"),
        qe_identity_signature: octets("qe_identity_signature"),
        pck_certificate_chain: None,
    }
}

fn verify(case: &Case) -> Result<String, String> {
    if case.kind == "snp" {
        return verify_snp(case);
    }
    let verifier = match &case.root {
        Some(root) => QuoteVerifier::new(root.clone()),
        None => QuoteVerifier::new_prod(),
    };
    let collateral = case.collateral.as_ref().ok_or("no collateral")?;
    verifier
        .verify(&case.evidence, collateral, case.now)
        .map(|report| report.status)
        .map_err(|error| format!("{error:?}"))
}

fn verify_snp(case: &Case) -> Result<String, String> {
    let say = |error: std::io::Error| error.to_string();
    let vek = Certificate::from_der(case.vek.as_ref().ok_or("no certificate")?).map_err(say)?;
    let ca = case.ca.clone().ok_or("no authorities")??;
    let report = AttestationReport::from_bytes(&case.evidence).map_err(say)?;
    (&Chain { ca, vek }, &report).verify().map_err(say)?;
    Ok("signed".to_owned())
}

fn measure(case: &Case, rounds: usize, ms: u128) {
    let mut out = Vec::new();
    for round in 0..=rounds {
        let started = Instant::now();
        let mut count = 0;
        while started.elapsed().as_millis() < ms {
            verify(case).expect("accepted");
            count += 1;
        }
        if round > 0 {
            out.push(started.elapsed().as_secs_f64() * 1000.0 / f64::from(count));
        }
    }
    println!("{}", json!({ "rounds": out }));
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let cases: Vec<Value> = serde_json::from_slice(&fs::read(&args[2]).expect("cases")).expect("JSON");
    let cases = cases.iter().map(read);
    if args[1] == "speed" {
        let case = cases.into_iter().find(|case| case.id == args[3]).expect("a case");
        return measure(&case, args[4].parse().expect("rounds"), args[5].parse().expect("ms"));
    }
    for case in cases {
        let result = panic::catch_unwind(panic::AssertUnwindSafe(|| verify(&case)))
            .unwrap_or_else(|_| Err("PANIC".to_owned()));
        let (accepted, says) = match result {
            Ok(says) => (true, says),
            Err(says) => (false, says),
        };
        println!("{}", json!({ "id": case.id, "accepted": accepted, "says": says }));
    }
}
