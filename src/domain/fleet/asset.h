#pragma once
#include <map>
#include <optional>
#include <string>

#include "core/time.h"

namespace ghm::fleet {

/// Where a host stands, from target labels or asset import; empty where unknown.
struct Place {
  std::string region, datacenter, rack;
  friend bool operator==(const Place&, const Place&) = default;
};

/// What an inventory says about one board's stay in one slot: a row of `assets.csv` (the fleet archive). Text is empty, times
/// and the price are absent where the inventory does not say.
struct Asset {
  std::string serial, uuid;  // at least one of them
  std::string model, host, slot, pci_bus_id;
  Place place;
  std::string batch;  // manufacturing lot or delivery
  std::optional<Timestamp> manufactured_at, deployed_at, retired_at, warranty_until;
  std::optional<double> purchase_price_usd;
  std::map<std::string, std::string> attributes;  // the `attr_NAME` columns, by NAME
  friend bool operator==(const Asset&, const Asset&) = default;
};

}  // namespace ghm::fleet
