# find_package(selenite): target selenite::selenite and the function selenite_plugin(NAME sources...).
include(${CMAKE_CURRENT_LIST_DIR}/seleniteTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/selenite_plugin.cmake)
