# The web UI inside the binary. web/dist is built by npm (GHM_UI=build), taken as it is (prebuilt), or left out (off: the
# server then answers with a page that says so). The files are compressed once here, not at each request.
find_program(NPM npm)
find_program(GZIP gzip)
set(ui_mode ${GHM_UI})
if(ui_mode STREQUAL "auto")
  if(NPM AND EXISTS ${CMAKE_SOURCE_DIR}/web/package-lock.json)
    set(ui_mode build)
  elseif(EXISTS ${CMAKE_SOURCE_DIR}/web/dist/index.html)
    set(ui_mode prebuilt)
  else()
    set(ui_mode off)
    message(STATUS "UI: npm not found and no web/dist: building without the web UI (GHM_UI=off)")
  endif()
endif()
set(ui_dist ${CMAKE_SOURCE_DIR}/web/dist)
add_library(ghm_ui STATIC)
target_link_libraries(ghm_ui PUBLIC ghm_options)
set(ui_asm ${CMAKE_BINARY_DIR}/ui_files.S)
set(ui_cpp ${CMAKE_BINARY_DIR}/ui_files.cpp)
set(ui_depends "")
if(ui_mode STREQUAL "build")
  file(GLOB_RECURSE ui_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/*.ts ${CMAKE_SOURCE_DIR}/web/src/*.tsx
       ${CMAKE_SOURCE_DIR}/web/src/*.css ${CMAKE_SOURCE_DIR}/web/public/*)
  set(ui_depends ${ui_sources} ${CMAKE_SOURCE_DIR}/web/package-lock.json ${CMAKE_SOURCE_DIR}/web/index.html ${CMAKE_SOURCE_DIR}/web/vite.config.ts)
  # npm ci is slow and changes rarely; its stamp follows the lock file alone.
  add_custom_command(OUTPUT ${CMAKE_SOURCE_DIR}/web/node_modules/.package-lock.json
    COMMAND ${NPM} ci --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_SOURCE_DIR}/web/node_modules/.package-lock.json
    DEPENDS ${CMAKE_SOURCE_DIR}/web/package-lock.json WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/web COMMENT "UI: npm ci")
  add_custom_command(OUTPUT ${ui_dist}/index.html
    COMMAND ${NPM} run --silent build
    COMMAND ${CMAKE_COMMAND} -E touch ${ui_dist}/index.html
    DEPENDS ${CMAKE_SOURCE_DIR}/web/node_modules/.package-lock.json ${ui_depends}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/web COMMENT "UI: vite build")
  set(ui_depends ${ui_dist}/index.html)
endif()
if(ui_mode STREQUAL "off")
  file(WRITE ${ui_cpp} "#include \"api/ui_assets.h\"\nnamespace ghm::ui {\nconst std::vector<Asset>& assets() {\n  static const std::vector<Asset> none;\n  return none;\n}\n}\n")
  target_sources(ghm_ui PRIVATE ${ui_cpp})
else()
  add_custom_command(OUTPUT ${ui_asm} ${ui_cpp}
    COMMAND ${CMAKE_COMMAND} -DDIST=${ui_dist} -DASM=${ui_asm} -DCPP=${ui_cpp} -DGZIP=${GZIP} -DWORK=${CMAKE_BINARY_DIR}/ui_gz -P ${CMAKE_SOURCE_DIR}/cmake/embed_ui.cmake
    DEPENDS ${ui_depends} ${CMAKE_SOURCE_DIR}/cmake/embed_ui.cmake COMMENT "UI: into the binary")
  target_sources(ghm_ui PRIVATE ${ui_asm} ${ui_cpp})
  set_source_files_properties(${ui_asm} PROPERTIES OBJECT_DEPENDS ${ui_cpp})
endif()
