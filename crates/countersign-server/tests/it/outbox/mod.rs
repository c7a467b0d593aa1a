//! What people are told of what is done, and how it reaches them.

mod deeds;
mod delivery;
mod lists;

use countersign_model::time::Timestamp;
use countersign_store::{Channel, Claim, DeliveryState, Due, Settled};
use serde_json::Value;

use crate::harness::{ADMINISTRATOR, Client, World, user_id};

/// Account *one* with its administrator Ada, who is the contact of its tokens.
pub struct Stage {
    pub world: World,
    pub account: String,
    pub ada: Client,
}

impl Stage {
    pub async fn new() -> Self {
        Self::at(World::new().await).await
    }

    pub async fn at(world: World) -> Self {
        let account = world.account("one").await;
        let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
        told(&world).await;
        Self { world, account, ada }
    }

    pub fn path(&self, below: &str) -> String {
        format!("/api/v1/accounts/{}{below}", self.account)
    }

    /// A token; answers its path.
    pub async fn token(&self, name: &str, more: Value) -> String {
        let mut new = serde_json::json!({ "name": name, "primary_contact": user_id(&self.ada).await });
        for (field, value) in more.as_object().into_iter().flatten() {
            new[field] = value.clone();
        }
        let made = self.ada.post(&self.path("/tokens"), new).await.expect(201).json();
        self.path(&format!("/tokens/{}", made["token"]["id"].as_str().unwrap()))
    }
}

/// Everything that waits to be told, as if it was sent: each is told once.
pub async fn told(world: &World) -> Vec<Due> {
    let now = world.clock.wall();
    let mut all = Vec::new();
    for channel in [Channel::Mail, Channel::Webhook] {
        for number in 1.. {
            let claim = Claim { number, until: now.plus_secs(60) };
            let due = world.app.store.claim_deliveries(channel, (claim, 50), now).await.unwrap();
            if due.is_empty() {
                break;
            }
            for due in due {
                world.app.store.settle_delivery(&due.delivery, claim, &sent(now)).await.unwrap();
                all.push(due);
            }
        }
    }
    all.sort_by_key(|due| due.delivery.id);
    all
}

fn sent(now: Timestamp) -> Settled {
    Settled {
        state: DeliveryState::Sent,
        next_at: now,
        code: None,
        reason: None,
        began_at: now,
        ended_at: now,
        rests_until: None,
    }
}

/// `event address`, in the order of the alphabet.
pub fn lines(told: &[Due]) -> Vec<String> {
    let mut lines: Vec<String> =
        told.iter().map(|due| format!("{} {}", due.delivery.event, due.delivery.target)).collect();
    lines.sort();
    lines
}
