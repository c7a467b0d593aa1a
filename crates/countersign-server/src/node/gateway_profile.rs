//! The profile of a gateway: for each fact of the request it holds, the one place Countersign reads it from. Everything
//! else a question says is ignored, never merged. The profiles of the configurations we ship are here, by name.

use serde::{Deserialize, Serialize};

/// Where a gateway says what. A fact without a header is read from the question itself: over HTTP its method, what
/// follows the gateway's name in its target, and its host; over gRPC the attributes of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayProfile {
    /// The configuration we ship that speaks like this; `None`: somebody's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Recipe>,
    /// The header with the original method, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_header: Option<String>,
    /// The header with the original URI, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri_header: Option<String>,
    /// The header with the original host, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_header: Option<String>,
    /// The header with the client's address, lower case. A connection ends at the gateway, so there is no other place.
    pub address_header: String,
    /// How many addresses from the right of that list the gateway's own proxies wrote: 1 takes the last.
    pub address_hops: u8,
}

/// A configuration we ship, in `gateways/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    /// nginx, by `auth_request`.
    Nginx,
    /// HAProxy, by a Lua action.
    Haproxy,
    /// Caddy, by `forward_auth`.
    Caddy,
    /// Traefik, by `forwardAuth`.
    Traefik,
    /// Envoy, by `ext_authz` over HTTP.
    Envoy,
    /// Envoy, by `ext_authz` over gRPC.
    EnvoyGrpc,
    /// Apache, by an access hook in Lua.
    Apache,
}

impl Recipe {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Nginx, Self::Haproxy, Self::Caddy, Self::Traefik, Self::Envoy, Self::EnvoyGrpc, Self::Apache];

    /// What this configuration sends.
    pub fn profile(self) -> GatewayProfile {
        let (method, uri, host, address) = match self {
            // Lines the configuration writes itself; the host of the question is the original one.
            Self::Nginx | Self::Haproxy | Self::Apache => {
                (Some("x-original-method"), Some("x-original-uri"), None, "x-original-address")
            }
            // Lines the program writes by itself; the host of the question is ours.
            Self::Caddy | Self::Traefik => (
                Some("x-forwarded-method"),
                Some("x-forwarded-uri"),
                Some("x-forwarded-host"),
                "x-forwarded-for",
            ),
            // The question has the method, path and host of the request. Envoy replaces this header; in its
            // `X-Forwarded-For` a loopback client has an address of the machine.
            Self::Envoy | Self::EnvoyGrpc => (None, None, None, "x-envoy-external-address"),
        };
        GatewayProfile {
            recipe: Some(self),
            method_header: method.map(str::to_owned),
            uri_header: uri.map(str::to_owned),
            host_header: host.map(str::to_owned),
            address_header: address.to_owned(),
            address_hops: 1,
        }
    }
}

impl GatewayProfile {
    /// Every header it names, with the name of its field.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let optional = [
            ("method_header", &self.method_header),
            ("uri_header", &self.uri_header),
            ("host_header", &self.host_header),
        ];
        let named = optional.into_iter().filter_map(|(field, name)| Some((field, name.as_deref()?)));
        named.chain([("address_header", self.address_header.as_str())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_stored_before_there_were_names_still_loads_and_is_written_as_it_was() {
        let stored = r#"{"method_header":"x-m","uri_header":"x-u","address_header":"x-a","address_hops":2}"#;
        let profile: GatewayProfile = serde_json::from_str(stored).unwrap();
        assert_eq!((profile.recipe, profile.address_hops), (None, 2));
        let headers: Vec<_> = profile.headers().collect();
        assert_eq!(headers, [("method_header", "x-m"), ("uri_header", "x-u"), ("address_header", "x-a")]);
        assert_eq!(serde_json::to_string(&profile).unwrap(), stored);
        assert!(
            serde_json::from_str::<GatewayProfile>(&stored.replace("x-m\"", "x-m\",\"more\":1")).is_err()
        );
    }

    #[test]
    fn every_shipped_profile_comes_back_as_it_was_written() {
        for recipe in Recipe::ALL {
            let written = serde_json::to_string(&recipe.profile()).unwrap();
            assert_eq!(serde_json::from_str::<GatewayProfile>(&written).unwrap(), recipe.profile());
        }
    }
}
