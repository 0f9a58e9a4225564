#pragma once
#include <gtest/gtest.h>

#include <string>

#include "domain/simulation/life.h"

namespace ghm::simulation::test {

inline constexpr Timestamp kStart{std::chrono::milliseconds(1'767'225'600'000)};  // 2026-01-01

inline World world_of(int gpus, int days, const std::string& scenario = "literature", std::uint64_t seed = 7) {
  auto world = World::create({gpus, seed, scenario, kStart, kStart + std::chrono::days(days)});
  EXPECT_TRUE(world) << world.error().what;
  return std::move(*world);
}

}  // namespace ghm::simulation::test
