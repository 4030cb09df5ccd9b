//! Starts the server, and stops it in order when it is asked to.

mod error;
mod project;
mod routes;

use std::env;
use std::io;

use actix_web::{App, HttpServer};

const PORT: u16 = 8000;

#[actix_web::main]
async fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let server = HttpServer::new(|| App::new().configure(routes::configure)).bind((host, port()?))?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    server.run().await
}

fn port() -> io::Result<u16> {
    let Ok(given) = env::var("PORT") else { return Ok(PORT) };
    let wrong = |_| io::Error::other(format!("PORT must be a number from 0 to 65535, and is {given:?}"));
    given.parse().map_err(wrong)
}
