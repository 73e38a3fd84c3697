// Fields of Kubernetes volumes (core/v1 Volume and its sources): checked for names, kept, without effect.
#include "src/spec/schema.h"

namespace jackdaw::spec {
namespace {

using enum FieldType;
using enum FieldClass;

// clang-format off
constexpr FieldRow rows[] = {
    {"Volume", "awsElasticBlockStore", object, "AwsElasticBlockStore"},
    {"Volume", "azureDisk", object, "AzureDisk"},
    {"Volume", "azureFile", object, "AzureFile"},
    {"Volume", "cephfs", object, "Cephfs"},
    {"Volume", "cinder", object, "Cinder"},
    {"Volume", "configMap", object, "ConfigMap"},
    {"Volume", "csi", object, "Csi"},
    {"Volume", "downwardAPI", object, "DownwardAPI"},
    {"Volume", "emptyDir", object, "EmptyDir"},
    {"Volume", "ephemeral", object, "Ephemeral"},
    {"Volume", "fc", object, "Fc"},
    {"Volume", "flexVolume", object, "FlexVolume"},
    {"Volume", "flocker", object, "Flocker"},
    {"Volume", "gcePersistentDisk", object, "GcePersistentDisk"},
    {"Volume", "gitRepo", object, "GitRepo"},
    {"Volume", "glusterfs", object, "Glusterfs"},
    {"Volume", "hostPath", object, "HostPath"},
    {"Volume", "image", object, "Image"},
    {"Volume", "iscsi", object, "Iscsi"},
    {"Volume", "name"},
    {"Volume", "nfs", object, "Nfs"},
    {"Volume", "persistentVolumeClaim", object, "PersistentVolumeClaim"},
    {"Volume", "photonPersistentDisk", object, "PhotonPersistentDisk"},
    {"Volume", "portworxVolume", object, "PortworxVolume"},
    {"Volume", "projected", object, "Projected"},
    {"Volume", "quobyte", object, "Quobyte"},
    {"Volume", "rbd", object, "Rbd"},
    {"Volume", "scaleIO", object, "ScaleIO"},
    {"Volume", "secret", object, "Secret"},
    {"Volume", "storageos", object, "Storageos"},
    {"Volume", "vsphereVolume", object, "VsphereVolume"},

    {"AwsElasticBlockStore", "fsType"},
    {"AwsElasticBlockStore", "partition", integer},
    {"AwsElasticBlockStore", "readOnly", boolean},
    {"AwsElasticBlockStore", "volumeID"},

    {"AzureDisk", "cachingMode"},
    {"AzureDisk", "diskName"},
    {"AzureDisk", "diskURI"},
    {"AzureDisk", "fsType"},
    {"AzureDisk", "kind"},
    {"AzureDisk", "readOnly", boolean},

    {"AzureFile", "readOnly", boolean},
    {"AzureFile", "secretName"},
    {"AzureFile", "shareName"},

    {"Cephfs", "monitors", text_list},
    {"Cephfs", "path"},
    {"Cephfs", "readOnly", boolean},
    {"Cephfs", "secretFile"},
    {"Cephfs", "secretRef", object, "ObjectRef"},
    {"Cephfs", "user"},

    {"Cinder", "fsType"},
    {"Cinder", "readOnly", boolean},
    {"Cinder", "secretRef", object, "ObjectRef"},
    {"Cinder", "volumeID"},

    {"ConfigMap", "defaultMode", integer},
    {"ConfigMap", "items", object_list, "KeyToPath"},
    {"ConfigMap", "name"},
    {"ConfigMap", "optional", boolean},

    {"KeyToPath", "key"},
    {"KeyToPath", "mode", integer},
    {"KeyToPath", "path"},

    {"Csi", "driver"},
    {"Csi", "fsType"},
    {"Csi", "nodePublishSecretRef", object, "ObjectRef"},
    {"Csi", "readOnly", boolean},
    {"Csi", "volumeAttributes", text_map},

    {"DownwardAPI", "defaultMode", integer},
    {"DownwardAPI", "items", object_list, "DownwardItem"},

    {"DownwardItem", "fieldRef", object, "FieldSelector"},
    {"DownwardItem", "mode", integer},
    {"DownwardItem", "path"},
    {"DownwardItem", "resourceFieldRef", object, "ResourceFieldSelector"},

    {"EmptyDir", "medium"},
    {"EmptyDir", "sizeLimit", quantity},

    {"Ephemeral", "volumeClaimTemplate", object, "ClaimTemplate"},

    {"ClaimTemplate", "metadata", anything},
    {"ClaimTemplate", "spec", object, "ClaimSpec"},

    {"ClaimSpec", "accessModes", text_list},
    {"ClaimSpec", "dataSource", object, "TypedObjectRef"},
    {"ClaimSpec", "dataSourceRef", object, "TypedObjectNamespaceRef"},
    {"ClaimSpec", "resources", object, "ClaimResources"},
    {"ClaimSpec", "selector", object, "LabelSelector"},
    {"ClaimSpec", "storageClassName"},
    {"ClaimSpec", "volumeAttributesClassName"},
    {"ClaimSpec", "volumeMode"},
    {"ClaimSpec", "volumeName"},

    {"TypedObjectRef", "apiGroup"},
    {"TypedObjectRef", "kind"},
    {"TypedObjectRef", "name"},

    {"TypedObjectNamespaceRef", "apiGroup"},
    {"TypedObjectNamespaceRef", "kind"},
    {"TypedObjectNamespaceRef", "name"},
    {"TypedObjectNamespaceRef", "namespace"},

    {"ClaimResources", "limits", quantity_map},
    {"ClaimResources", "requests", quantity_map},

    {"Fc", "fsType"},
    {"Fc", "lun", integer},
    {"Fc", "readOnly", boolean},
    {"Fc", "targetWWNs", text_list},
    {"Fc", "wwids", text_list},

    {"FlexVolume", "driver"},
    {"FlexVolume", "fsType"},
    {"FlexVolume", "options", text_map},
    {"FlexVolume", "readOnly", boolean},
    {"FlexVolume", "secretRef", object, "ObjectRef"},

    {"Flocker", "datasetName"},
    {"Flocker", "datasetUUID"},

    {"GcePersistentDisk", "fsType"},
    {"GcePersistentDisk", "partition", integer},
    {"GcePersistentDisk", "pdName"},
    {"GcePersistentDisk", "readOnly", boolean},

    {"GitRepo", "directory"},
    {"GitRepo", "repository"},
    {"GitRepo", "revision"},

    {"Glusterfs", "endpoints"},
    {"Glusterfs", "path"},
    {"Glusterfs", "readOnly", boolean},

    {"HostPath", "path"},
    {"HostPath", "type"},

    {"Image", "pullPolicy"},
    {"Image", "reference"},

    {"Iscsi", "chapAuthDiscovery", boolean},
    {"Iscsi", "chapAuthSession", boolean},
    {"Iscsi", "fsType"},
    {"Iscsi", "initiatorName"},
    {"Iscsi", "iqn"},
    {"Iscsi", "iscsiInterface"},
    {"Iscsi", "lun", integer},
    {"Iscsi", "portals", text_list},
    {"Iscsi", "readOnly", boolean},
    {"Iscsi", "secretRef", object, "ObjectRef"},
    {"Iscsi", "targetPortal"},

    {"Nfs", "path"},
    {"Nfs", "readOnly", boolean},
    {"Nfs", "server"},

    {"PersistentVolumeClaim", "claimName"},
    {"PersistentVolumeClaim", "readOnly", boolean},

    {"PhotonPersistentDisk", "fsType"},
    {"PhotonPersistentDisk", "pdID"},

    {"PortworxVolume", "fsType"},
    {"PortworxVolume", "readOnly", boolean},
    {"PortworxVolume", "volumeID"},

    {"Projected", "defaultMode", integer},
    {"Projected", "sources", object_list, "ProjectedSource"},

    {"ProjectedSource", "clusterTrustBundle", object, "TrustBundleProjection"},
    {"ProjectedSource", "configMap", object, "ConfigMapProjection"},
    {"ProjectedSource", "downwardAPI", object, "DownwardAPIProjection"},
    {"ProjectedSource", "podCertificate", object, "PodCertificateProjection"},
    {"ProjectedSource", "secret", object, "ConfigMapProjection"},
    {"ProjectedSource", "serviceAccountToken", object, "ServiceAccountTokenProjection"},

    {"TrustBundleProjection", "labelSelector", object, "LabelSelector"},
    {"TrustBundleProjection", "name"},
    {"TrustBundleProjection", "optional", boolean},
    {"TrustBundleProjection", "path"},
    {"TrustBundleProjection", "signerName"},

    {"ConfigMapProjection", "items", object_list, "KeyToPath"},
    {"ConfigMapProjection", "name"},
    {"ConfigMapProjection", "optional", boolean},

    {"DownwardAPIProjection", "items", object_list, "DownwardItem"},

    {"PodCertificateProjection", "certificateChainPath"},
    {"PodCertificateProjection", "credentialBundlePath"},
    {"PodCertificateProjection", "keyPath"},
    {"PodCertificateProjection", "keyType"},
    {"PodCertificateProjection", "maxExpirationSeconds", integer},
    {"PodCertificateProjection", "signerName"},

    {"ServiceAccountTokenProjection", "audience"},
    {"ServiceAccountTokenProjection", "expirationSeconds", integer},
    {"ServiceAccountTokenProjection", "path"},

    {"Quobyte", "group"},
    {"Quobyte", "readOnly", boolean},
    {"Quobyte", "registry"},
    {"Quobyte", "tenant"},
    {"Quobyte", "user"},
    {"Quobyte", "volume"},

    {"Rbd", "fsType"},
    {"Rbd", "image"},
    {"Rbd", "keyring"},
    {"Rbd", "monitors", text_list},
    {"Rbd", "pool"},
    {"Rbd", "readOnly", boolean},
    {"Rbd", "secretRef", object, "ObjectRef"},
    {"Rbd", "user"},

    {"ScaleIO", "fsType"},
    {"ScaleIO", "gateway"},
    {"ScaleIO", "protectionDomain"},
    {"ScaleIO", "readOnly", boolean},
    {"ScaleIO", "secretRef", object, "ObjectRef"},
    {"ScaleIO", "sslEnabled", boolean},
    {"ScaleIO", "storageMode"},
    {"ScaleIO", "storagePool"},
    {"ScaleIO", "system"},
    {"ScaleIO", "volumeName"},

    {"Secret", "defaultMode", integer},
    {"Secret", "items", object_list, "KeyToPath"},
    {"Secret", "optional", boolean},
    {"Secret", "secretName"},

    {"Storageos", "fsType"},
    {"Storageos", "readOnly", boolean},
    {"Storageos", "secretRef", object, "ObjectRef"},
    {"Storageos", "volumeName"},
    {"Storageos", "volumeNamespace"},

    {"VsphereVolume", "fsType"},
    {"VsphereVolume", "storagePolicyID"},
    {"VsphereVolume", "storagePolicyName"},
    {"VsphereVolume", "volumePath"},
};
// clang-format on

}  // namespace

std::span<const FieldRow> volume_rows() {
  return rows;
}

}  // namespace jackdaw::spec
